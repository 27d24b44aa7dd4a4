"""The walk: which requests to send, in batches, each depending on the responses to those before. It does no I/O."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator, Mapping
from typing import TypeAlias
from urllib.parse import quote_plus, urlencode, urljoin, urlsplit

import attrs

from oauthcore import Outgoing, Secret
from oauthcore.wire.http import Headers
from oauthcore_doctor.challenge import parameters_of
from oauthcore_doctor.observations import (
    METADATA,
    Exchange,
    LentClient,
    Observations,
    Probe,
    Target,
    TlsObservation,
    is_loopback,
    is_url,
    origin_of,
    text_of,
    texts_of,
)

# A name that can't be registered (RFC 2606 section 2): a response contains it only if it was copied from the request.
FORGED = "forged.invalid"
PAGE = "https://page.invalid"
NOBODY = "oauthcore-doctor-unknown-client"
CALLBACK = f"https://{FORGED}/callback"
# RFC 7636 appendix B.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
STATE = "oauthcore-doctor"

_FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))
_JSON: Headers = (("Accept", "application/json"),)


@attrs.frozen
class TlsRequest:
    """Ask for a TLS handshake with a host."""

    host: str
    port: int


@attrs.frozen
class Batch:
    """Hold probes that are independent of each other."""

    probes: Mapping[Probe, Outgoing] = attrs.field(factory=dict)
    tls: tuple[TlsRequest, ...] = ()


Seen: TypeAlias = tuple[Mapping[Probe, Exchange], tuple[TlsObservation, ...]]


def walk(target: Target) -> Generator[Batch, Seen, Observations]:
    """Yield batches of probes, and return what was observed."""
    seen = Observations(target, {})
    if target.resource is not None:
        seen = with_seen(seen, (yield Batch(dict(resource_probes(target.resource)))))
        seen = with_seen(seen, (yield Batch(dict(resource_metadata_probes(seen, target.resource)))))
        if target.issuer is None:
            listed = texts_of(seen.resource_metadata or {}, "authorization_servers") or ()
            seen = attrs.evolve(seen, target=attrs.evolve(target, issuer=next(filter(is_url, listed), None)))
    if seen.issuer is None:
        return seen
    seen = with_seen(seen, (yield Batch(dict(discovery_probes(seen.issuer)), tuple(tls_requests(seen)))))
    seen = with_seen(seen, (yield Batch(dict(redirect_probes(seen)))))
    seen = with_seen(seen, (yield Batch(dict(further_probes(seen)))))
    return with_seen(seen, (yield Batch(dict(page_probes(seen)))))


def with_seen(observations: Observations, seen: Seen) -> Observations:
    """Return the observations with the results of a batch added."""
    exchanges, tls = seen
    return attrs.evolve(observations, exchanges={**observations.exchanges, **exchanges}, tls=(*observations.tls, *tls))


def resource_probes(resource: str) -> Iterator[tuple[Probe, Outgoing]]:
    """Request a resource without a token, and with an invalid one."""
    # An MCP server answers a GET with an event stream, or 405; before that, it has to require a token.
    accept = ("Accept", "application/json, text/event-stream")
    yield Probe.RESOURCE, Outgoing("GET", resource, (accept,))
    bad = ("Authorization", "Bearer oauthcore-doctor-token-that-nobody-issued")
    yield Probe.RESOURCE_BAD_TOKEN, Outgoing("GET", resource, (accept, bad))
    # RFC 9110 section 11.1: the name of a scheme is the same in any case.
    lower = ("Authorization", "bearer oauthcore-doctor-token-that-nobody-issued")
    yield Probe.RESOURCE_LOWER, Outgoing("GET", resource, (accept, lower))
    in_query = with_query(resource, {"access_token": "oauthcore-doctor-token-that-nobody-issued"})
    yield Probe.RESOURCE_QUERY, Outgoing("GET", in_query, (accept,))


def resource_metadata_probes(seen: Observations, resource: str) -> Iterator[tuple[Probe, Outgoing]]:
    """Fetch what is published about a resource, where clients look for it (RFC 9728 sections 3.1 and 5.1)."""
    origin = origin_of(resource)
    path = resource.removeprefix(origin).partition("?")[0]
    root = f"{origin}/.well-known/oauth-protected-resource"
    # RFC 9728 section 3.1: inserted before the path; a slash after the host alone is not a path.
    inserted = root + ("" if path == "/" else path)
    response = seen.response(Probe.RESOURCE)
    linked = parameters_of((response.header("www-authenticate") if response else None) or "").get("resource_metadata")
    if linked is not None and is_url(linked):
        yield Probe.RESOURCE_LINKED, Outgoing("GET", linked, _JSON)
    yield Probe.RESOURCE_INSERTED, Outgoing("GET", inserted, _JSON)
    if inserted != root:
        yield Probe.RESOURCE_ROOT, Outgoing("GET", root, _JSON)
    yield Probe.CORS_RESOURCE, Outgoing("GET", inserted, (("Origin", PAGE), *_JSON))


def discovery_probes(issuer: str) -> Iterator[tuple[Probe, Outgoing]]:
    """Look for metadata in every place (RFC 8414 section 3.1, OIDC Discovery section 4.1)."""
    origin = origin_of(issuer)
    # Both: a slash at the end is removed before anything is inserted or appended.
    path = issuer.removeprefix(origin).rstrip("/")
    yield Probe.OAUTH_INSERTED, Outgoing("GET", f"{origin}/.well-known/oauth-authorization-server{path}", _JSON)
    yield Probe.OIDC_APPENDED, Outgoing("GET", f"{origin}{path}/.well-known/openid-configuration", _JSON)
    if path:
        yield Probe.OIDC_INSERTED, Outgoing("GET", f"{origin}/.well-known/openid-configuration{path}", _JSON)
        yield Probe.OAUTH_APPENDED, Outgoing("GET", f"{origin}{path}/.well-known/oauth-authorization-server", _JSON)


def tls_requests(seen: Observations) -> Iterator[TlsRequest]:
    """Look at TLS once for each host."""
    named = (seen.target.issuer, seen.target.resource)
    hosts = {(urlsplit(url).hostname or "", urlsplit(url).port or 443) for url in named if url and is_https(url)}
    yield from (TlsRequest(host, port) for host, port in sorted(hosts))


def is_https(url: str) -> bool:
    """Return whether a URL is one of https."""
    return urlsplit(url).scheme == "https"


def redirect_probes(seen: Observations) -> Iterator[tuple[Probe, Outgoing]]:
    """Follow a redirect of discovery once, to see whether what it leads to is what was looked for."""
    for probe in METADATA:
        response = seen.response(probe)
        location = response.header("location") if response is not None and 300 <= response.status < 400 else None
        if location is not None and is_url(location):
            yield Probe.REDIRECTED, Outgoing("GET", location, _JSON)
            return


def further_probes(seen: Observations) -> Iterator[tuple[Probe, Outgoing]]:
    """Look at everything that the metadata names."""
    yield from metadata_again(seen)
    metadata = seen.metadata
    jwks_uri = url_of(metadata, "jwks_uri")
    if jwks_uri is not None:
        yield Probe.JWKS, Outgoing("GET", jwks_uri, _JSON)
        yield Probe.CORS_JWKS, Outgoing("GET", jwks_uri, (("Origin", PAGE), *_JSON))
    yield from endpoint_probes(metadata)
    # RFC 8414 section 3.3: what is another issuer's must not be used. Its endpoints would get the client's secret.
    if seen.target.client is not None and text_of(metadata, "issuer") == seen.issuer:
        yield from client_probes(metadata, seen.target.client)


def metadata_again(seen: Observations) -> Iterator[tuple[Probe, Outgoing]]:
    """Fetch the first document with headers that must not change it, and as a script of another origin does."""
    probe = next((probe for probe, _ in seen.documents()), None)
    if probe is None:
        return
    url = seen.exchanges[probe].request.url
    forwarded = (
        ("X-Forwarded-Host", FORGED),
        ("X-Forwarded-Proto", "http" if is_https(url) else "https"),
        ("X-Forwarded-Port", "8888"),
        ("X-Forwarded-Prefix", "/forged"),
        ("Forwarded", f"host={FORGED};proto=http"),
    )
    yield Probe.FORGED_HOST, Outgoing("GET", url, (("Host", FORGED), *_JSON))
    yield Probe.FORGED_FORWARDED, Outgoing("GET", url, (*forwarded, *_JSON))
    # A version that does not exist yet: a server that refuses it will also refuse the next one.
    yield Probe.MCP_VERSION, Outgoing("GET", url, (("MCP-Protocol-Version", "2099-01-01"),))
    yield Probe.CORS_METADATA, Outgoing("GET", url, (("Origin", PAGE), *_JSON))
    yield Probe.PREFLIGHT_METADATA, preflight(url, "GET", "mcp-protocol-version")


def preflight(url: str, method: str, headers: str) -> Outgoing:
    """Return what a browser sends before a request of a script (Fetch section 3.2.2)."""
    headers_sent = (
        ("Origin", PAGE),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", headers),
    )
    return Outgoing("OPTIONS", url, headers_sent)


def endpoint_probes(metadata: Mapping[str, object]) -> Iterator[tuple[Probe, Outgoing]]:
    """Call each endpoint in a way that it has to refuse."""
    token = url_of(metadata, "token_endpoint")
    if token is not None:
        yield Probe.TOKEN_GET, Outgoing("GET", token, _JSON)
        code = {"grant_type": "authorization_code", "code": "unknown", "redirect_uri": CALLBACK}
        yield Probe.TOKEN, post(token, {**code, "client_id": NOBODY, "code_verifier": "v" * 43})
        yield from broken_token_requests(token, {**code, "client_id": NOBODY, "code_verifier": "v" * 43})
        yield Probe.PREFLIGHT_TOKEN, preflight(token, "POST", "authorization, content-type, mcp-protocol-version")
    authorization = url_of(metadata, "authorization_endpoint")
    if authorization is not None:
        request = Outgoing("GET", with_query(authorization, authorization_request(NOBODY, CALLBACK)))
        yield Probe.AUTHORIZATION, request
        yield Probe.AUTHORIZATION_POST, post(authorization, authorization_request(NOBODY, CALLBACK))
        yield Probe.CORS_AUTHORIZATION, attrs.evolve(request, headers=(("Origin", PAGE),))
    for probe, member, parameters in (
        (Probe.INTROSPECTION, "introspection_endpoint", {"token": "unknown"}),
        (Probe.REVOCATION, "revocation_endpoint", {"token": "unknown", "client_id": NOBODY}),
        (Probe.DEVICE, "device_authorization_endpoint", {"client_id": NOBODY}),
        (
            Probe.PUSHED,
            "pushed_authorization_request_endpoint",
            authorization_request(NOBODY, CALLBACK),
        ),
    ):
        url = url_of(metadata, member)
        if url is not None:
            yield probe, post(url, parameters)
    for probe, member in (
        (Probe.USERINFO, "userinfo_endpoint"),
        (Probe.LOGOUT, "end_session_endpoint"),
        (Probe.REGISTRATION_GET, "registration_endpoint"),
    ):
        url = url_of(metadata, member)
        if url is not None:
            yield probe, Outgoing("GET", url)
    registration = url_of(metadata, "registration_endpoint")
    if registration is not None:
        yield Probe.PREFLIGHT_REGISTRATION, preflight(registration, "POST", "content-type, mcp-protocol-version")


def broken_token_requests(url: str, form: Mapping[str, str]) -> Iterator[tuple[Probe, Outgoing]]:
    """Send what clients send by mistake, and attackers on purpose: each has to be refused as an OAuth error."""
    without = {name: value for name, value in form.items() if name != "client_id"}
    yield Probe.TOKEN_BASIC, post(url, without, LentClient(NOBODY, Secret("unknown")))
    broken = post(url, without)
    headers = (*broken.headers, ("Authorization", "Basic %%%"))
    yield Probe.TOKEN_BROKEN_BASIC, attrs.evolve(broken, headers=headers)
    body = json.dumps(dict(form)).encode()
    yield Probe.TOKEN_OTHER_TYPE, Outgoing("POST", url, (("Content-Type", "application/json"), *_JSON), body)
    usual = post(url, form)
    yield Probe.TOKEN_TWICE, attrs.evolve(usual, body=usual.body + b"&code=other")
    yield Probe.CORS_TOKEN, attrs.evolve(usual, headers=(*usual.headers, ("Origin", PAGE)))


def client_probes(metadata: Mapping[str, object], client: LentClient) -> Iterator[tuple[Probe, Outgoing]]:
    """Ask as a client that is known: for what has to be refused, and, with its secret, for what is its own."""
    authorization = url_of(metadata, "authorization_endpoint")
    if authorization is not None and client.redirect_uri is not None:
        request = authorization_request(client.client_id, client.redirect_uri)
        unknown_type = {**request, "response_type": "oauthcore-doctor"}
        yield Probe.CLIENT_ERROR, Outgoing("GET", with_query(authorization, unknown_type))
        # With prompt=none no page may be shown, whatever the response is (OIDC Core section 3.1.2.1).
        without = {name: value for name, value in request.items() if not name.startswith("code_challenge")}
        yield Probe.CLIENT_WITHOUT_PKCE, Outgoing("GET", with_query(authorization, {**without, "prompt": "none"}))
        yield from client_authorization_probes(metadata, authorization, request, without)
    if client.secret is None:
        return
    token, introspection = safe_url_of(metadata, "token_endpoint"), safe_url_of(metadata, "introspection_endpoint")
    if token is not None and "client_credentials" in (texts_of(metadata, "grant_types_supported") or ()):
        yield Probe.CLIENT_CREDENTIALS, post(token, {"grant_type": "client_credentials"}, client)
    if token is not None:
        yield Probe.CLIENT_GRANT, post(token, {"grant_type": "urn:oauthcore:doctor:unknown"}, client)
    revocation = safe_url_of(metadata, "revocation_endpoint")
    if revocation is not None:
        yield Probe.CLIENT_REVOCATION, post(revocation, {"token": "unknown"}, client)
    pushed = safe_url_of(metadata, "pushed_authorization_request_endpoint")
    if pushed is not None and client.redirect_uri is not None:
        request = authorization_request(client.client_id, client.redirect_uri)
        yield Probe.CLIENT_PUSHED, post(pushed, {**request, "response_type": "oauthcore-doctor"}, client)
    if introspection is not None:
        yield Probe.CLIENT_INTROSPECTION, post(introspection, {"token": "unknown"}, client)


def client_authorization_probes(
    metadata: Mapping[str, object], url: str, request: Mapping[str, str], without_pkce: Mapping[str, str]
) -> Iterator[tuple[Probe, Outgoing]]:
    """Send authorization requests of a known client; all but the last have an error, or show no page."""
    plain = {**without_pkce, "code_challenge": "v" * 43, "code_challenge_method": "plain", "prompt": "none"}
    yield Probe.CLIENT_PLAIN, Outgoing("GET", with_query(url, plain))
    other = {**request, "redirect_uri": f"{request['redirect_uri']}/oauthcore-doctor", "prompt": "none"}
    yield Probe.CLIENT_OTHER_REDIRECT, Outgoing("GET", with_query(url, other))
    twice = with_query(url, {**request, "prompt": "none"}) + "&code_challenge_method=S256"
    yield Probe.CLIENT_TWICE, Outgoing("GET", twice)
    if text_of(metadata, "jwks_uri") is not None and "openid" in (
        texts_of(metadata, "scopes_supported") or ("openid",)
    ):
        yield Probe.CLIENT_SILENT, Outgoing("GET", with_query(url, {**request, "prompt": "none", "scope": "openid"}))
    yield Probe.CLIENT_PAGE, Outgoing("GET", with_query(url, request))


def page_probes(seen: Observations) -> Iterator[tuple[Probe, Outgoing]]:
    """Read the page that users of the client see first, where the server redirects to one of its own."""
    response = seen.response(Probe.CLIENT_PAGE)
    location = response.header("location") if response is not None and 300 <= response.status < 400 else None
    if location is None or seen.issuer is None:
        return
    url = urljoin(seen.exchanges[Probe.CLIENT_PAGE].request.url, location)
    if is_url(url) and origin_of(url) == origin_of(seen.exchanges[Probe.CLIENT_PAGE].request.url):
        yield Probe.CLIENT_PAGE_BEHIND, Outgoing("GET", url)


def safe_url_of(metadata: Mapping[str, object], name: str) -> str | None:
    """Return a URL that a secret may be sent to (RFC 6749 section 2.3.1)."""
    url = url_of(metadata, name)
    return url if url is not None and (is_https(url) or is_loopback(url)) else None


def authorization_request(client_id: str, redirect_uri: str) -> dict[str, str]:
    """Return the parameters of an ordinary authorization request."""
    return {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": STATE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def post(url: str, parameters: Mapping[str, str], client: LentClient | None = None) -> Outgoing:
    """Return a POST of a form, by a client if there is one (RFC 6749 section 2.3.1)."""
    credentials: Headers = ()
    if client is not None and client.secret is not None:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret.reveal())}"
        credentials = (("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()),)
    return Outgoing("POST", url, (*_FORM, *credentials), urlencode(parameters).encode())


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with more parameters; the query that it has is kept (RFC 6749 section 3.1)."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def url_of(metadata: Mapping[str, object], name: str) -> str | None:
    """Return a URL of the metadata that can be asked."""
    url = text_of(metadata, name)
    return url if url is not None and is_url(url) else None
