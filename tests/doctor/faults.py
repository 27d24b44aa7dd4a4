"""Faults as changes of a good server's answers, by what they are, and beside each the check that has to find it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from oauthcore import Outgoing, Response
from oauthcore.jose import crypto
from oauthcore_doctor import TlsObservation
from oauthcore_doctor.walk import FORGED
from tests.doctor.deployments import NOW, Change, Deployment, page, with_document, with_header

Document: TypeAlias = dict[str, Any]
ISSUER = "https://as.example"


@attrs.frozen
class Fault:
    """Be one fault: which check finds it, what is changed, and of which server."""

    check: str
    plant: Callable[[Deployment], Deployment]
    path: str = ""


def answers(check: str, change: Change, path: str = "") -> Fault:
    """Return a fault in answers."""
    return Fault(check, lambda good: attrs.evolve(good, change=change), path)


def at(part: str, change: Callable[[Outgoing, Response], Response]) -> Change:
    """Change what is answered at URLs with that part in them."""
    return lambda request, response: change(request, response) if part in request.url else response


def members(part: str, change: Callable[[Document], object]) -> Change:
    """Change the members of the JSON object that is served at such URLs."""

    def changed(request: Outgoing, response: Response) -> Response:
        if response.status != 200 or request.method != "GET" or not response.body.startswith(b"{"):
            return response
        document: Document = json.loads(response.body)
        replaced = change(document)
        return with_document(response, replaced if isinstance(replaced, Mapping) else document)

    return at(part, changed)


def metadata(change: Callable[[Document], object]) -> Change:
    """Change both kinds of metadata of the authorization server."""
    return lambda request, response: (
        members("/.well-known/o", change)(request, response)
        if ("oauth-protected-resource" not in request.url)
        else response
    )


def setting(**changed: object) -> Change:
    """Set members of the metadata."""
    return metadata(lambda document: {**document, **changed})


def without(*names: str) -> Change:
    """Take members out of the metadata."""
    return metadata(lambda document: {name: value for name, value in document.items() if name not in names})


def listing(name: str, *more: str, less: str = "") -> Change:
    """Change a list in the metadata."""
    return metadata(lambda document: document | {name: [*(v for v in document[name] if v != less), *more]})


def keys(change: Callable[[list[Document]], list[Document]]) -> Change:
    """Change the published keys."""
    return members("/jwks", lambda document: document | {"keys": change(document["keys"])})


def header(part: str, name: str, value: str | None, method: str = "") -> Change:
    """Change a header of what is answered there."""
    return at(
        part,
        lambda request, response: with_header(response, name, value) if method in ("", request.method) else response,
    )


def answer(part: str, response: Response, method: str = "") -> Change:
    """Answer there with something else."""
    return at(part, lambda request, before: response if method in ("", request.method) else before)


def echoing_host(request: Outgoing, response: Response) -> Response:
    """Make the metadata of the request's Host."""
    host = dict(request.headers).get("Host")
    return (
        response if host is None else attrs.evolve(response, body=response.body.replace(b"as.example", host.encode()))
    )


def echoing_forwarded(request: Outgoing, response: Response) -> Response:
    """Make the metadata of what a proxy may have said."""
    sent = dict(request.headers)
    if "X-Forwarded-Host" not in sent:
        return response
    return attrs.evolve(response, body=response.body.replace(b"as.example", sent["X-Forwarded-Host"].encode()))


def redirecting(request: Outgoing, response: Response) -> Response:
    """Send everybody to a slash at the end."""
    if request.url.endswith("/"):
        return response
    return Response(301, (("Location", request.url + "/"),))


def astray(request: Outgoing, response: Response) -> Response:
    """Redirect to whatever is asked for."""
    return Response(302, (("Location", f"https://{FORGED}/callback?error=unauthorized_client"),))


def reflecting(request: Outgoing, response: Response) -> Response:
    """Let any origin in, with cookies."""
    origin = dict(request.headers).get("Origin")
    if origin is None:
        return response
    reflected = with_header(response, "Access-Control-Allow-Origin", origin)
    return with_header(reflected, "Access-Control-Allow-Credentials", "true")


def refusing_versions(request: Outgoing, response: Response) -> Response:
    """Refuse a version of MCP that is not known."""
    return page(403) if "MCP-Protocol-Version" in dict(request.headers) else response


def weak_key() -> Document:
    """Return an RSA key of 1024 bits."""
    modulus = (1 << 1023) | 1
    text = base64.urlsafe_b64encode(modulus.to_bytes(128, "big")).rstrip(b"=").decode()
    return {"kty": "RSA", "kid": "weak", "use": "sig", "alg": "RS256", "n": text, "e": "AQAB"}


def private_key() -> Document:
    """Return a key with its secret."""
    return dict(crypto.generate("ES256").members) | {"kid": "private", "use": "sig", "alg": "ES256"}


def tls(**shown: Any) -> Callable[[Deployment], Deployment]:
    """Speak TLS in another way."""
    usual = TlsObservation("as.example", NOW, expires_at=NOW + 60 * 86_400)
    return lambda good: attrs.evolve(good, tls=attrs.evolve(usual, **shown))


def challenge(change: Callable[[str], str | None]) -> Change:
    """Change the challenge of the resource."""

    def changed(request: Outgoing, response: Response) -> Response:
        said = response.header("www-authenticate")
        return with_header(response, "WWW-Authenticate", change(said)) if said and response.status == 401 else response

    return lambda request, response: changed(request, response) if request.url.endswith("/mcp") else response


def resource(**changed: object) -> Change:
    """Set members of the resource's metadata."""
    return members("oauth-protected-resource", lambda document: {**document, **changed})


HTML = page(200)
OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
TOKEN, AUTHORIZE, REGISTER = "/token", "/authorize", "/register"
OTHER = "Access-Control-Allow-Origin"

FAULTS: Mapping[str, Fault] = {
    "no metadata anywhere": answers("discovery-found", answer("/.well-known/o", page(404))),
    "metadata appended to the path alone": answers(
        "discovery-inserted",
        lambda request, response: (
            page(404)
            if "server/tenant" in request.url
            else (
                attrs.evolve(response, status=200, body=b'{"issuer": "https://as.example/tenant"}')
                if "tenant/.well-known/oauth" in request.url
                else response
            )
        ),
        "/tenant",
    ),
    "discovery redirects to a slash": answers("discovery-redirect", at("/.well-known/o", redirecting)),
    "discovery fails instead of 404": answers("discovery-failure", answer(OPENID, page(502))),
    "an application's page for metadata": answers("discovery-json", answer(OPENID, HTML)),
    "a byte order mark before metadata": answers(
        "discovery-json",
        at(OAUTH, lambda request, response: attrs.evolve(response, body=b"\xef\xbb\xbf" + response.body)),
    ),
    "a member of the metadata twice": answers(
        "discovery-json",
        at(OAUTH, lambda request, response: attrs.evolve(response, body=b'{"issuer":"a",' + response.body[1:])),
    ),
    "metadata as text": answers("discovery-type", header(OAUTH, "Content-Type", "text/plain", "GET")),
    "a slash at the end of the issuer": answers("issuer", setting(issuer=ISSUER + "/")),
    "http in the issuer": answers("issuer", setting(issuer="http://as.example")),
    "another host as issuer": answers("issuer", setting(issuer="https://internal.example")),
    "two documents that differ": answers(
        "discovery-agree", members(OPENID, lambda document: document | {"token_endpoint": ISSUER + "/old/token"})
    ),
    "no token endpoint": answers("metadata-needed", without("token_endpoint")),
    "no authorization endpoint": answers("metadata-needed", without("authorization_endpoint")),
    "OpenID metadata without keys": answers("openid-needed", without("jwks_uri")),
    "OpenID metadata without subject types": answers("openid-needed", without("subject_types_supported")),
    "no RS256": answers("openid-rs256", setting(id_token_signing_alg_values_supported=["ES256"])),
    "unsigned ID tokens": answers("alg-none", listing("id_token_signing_alg_values_supported", "none")),
    "a list as text": answers("metadata-types", setting(response_types_supported="code")),
    "a switch as text": answers("metadata-types", setting(client_id_metadata_document_supported="true")),
    "a relative endpoint": answers("metadata-urls", setting(token_endpoint="/token")),
    "an endpoint with a fragment": answers("metadata-urls", setting(authorization_endpoint=ISSUER + "/authorize#here")),
    "http in an endpoint": answers("metadata-http", setting(token_endpoint="http://as.example/token")),
    "the server's own address in an endpoint": answers(
        "metadata-internal", setting(token_endpoint="https://localhost:8000/token")
    ),
    "metadata made of Host": answers("forged-host", at("/.well-known/o", echoing_host)),
    "metadata made of X-Forwarded-Host": answers("forged-forwarded", at("/.well-known/o", echoing_forwarded)),
    "an unknown version of MCP refused": answers("mcp-version", at("/.well-known/o", refusing_versions)),
    "a failure at the token endpoint": answers("server-error", answer(TOKEN, page(500), "POST")),
    "too many requests": answers("rate-limit", answer(TOKEN, page(429), "POST")),
    "PKCE not announced": answers("pkce-s256", without("code_challenge_methods_supported")),
    "PKCE with plain": answers("pkce-plain", listing("code_challenge_methods_supported", "plain")),
    "no iss": answers("response-iss", without("authorization_response_iss_parameter_supported")),
    "no code": answers("response-code", listing("response_types_supported", less="code")),
    "the implicit grant": answers("implicit", listing("response_types_supported", "token")),
    "the password grant": answers("password", listing("grant_types_supported", "password")),
    "assertions of unknown algorithms": answers(
        "assertion-algorithms", without("token_endpoint_auth_signing_alg_values_supported")
    ),
    "registration without public clients": answers(
        "public-clients", setting(token_endpoint_auth_methods_supported=["client_secret_basic"])
    ),
    "no way to register": answers(
        "registration", without("registration_endpoint", "client_id_metadata_document_supported")
    ),
    "no logout": answers("logout", without("end_session_endpoint")),
    "no key set": answers("jwks", answer("/jwks", page(404))),
    "a key set as text": answers("jwks-type", header("/jwks", "Content-Type", "text/plain")),
    "two keys of one name": answers("jwks-duplicate", keys(lambda found: [*found, *found])),
    "a key without a name": answers(
        "jwks-kid", keys(lambda found: [{k: v for k, v in found[0].items() if k != "kid"}])
    ),
    "a key without use": answers("jwks-use", keys(lambda found: [{k: v for k, v in found[0].items() if k != "use"}])),
    "a key without alg": answers("jwks-alg", keys(lambda found: [{k: v for k, v in found[0].items() if k != "alg"}])),
    "a private key": answers("jwks-private", keys(lambda found: [*found, private_key()])),
    "a shared secret among the keys": answers(
        "jwks-symmetric", keys(lambda found: [*found, {"kty": "oct", "k": "c2VjcmV0", "kid": "s", "use": "sig"}])
    ),
    "a short key": answers("jwks-weak", keys(lambda found: [*found, weak_key()])),
    "an exponent of one": answers("jwks-weak", keys(lambda found: [found[0] | {"e": "AQ"}])),
    "a key of another curve": answers(
        "jwks-malformed",
        keys(lambda found: [*found, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "e", "use": "sig"}]),
    ),
    "a key for the wrong algorithm": answers("jwks-malformed", keys(lambda found: [found[0] | {"alg": "ES256"}])),
    "an algorithm without a key": answers("jwks-unkeyed", listing("id_token_signing_alg_values_supported", "ES384")),
    "an endpoint that is not there": answers("endpoint-missing", answer("/revoke", page(404))),
    "a token endpoint that takes GET": answers("token-get", answer(TOKEN, HTML, "GET")),
    "405 without Allow": answers("allow", header(TOKEN, "Allow", None, "GET")),
    "a page for an error": answers("error-json", answer(TOKEN, page(400), "POST")),
    "a redirect for an error": answers("error-json", answer(TOKEN, Response(302, (("Location", ISSUER),)), "POST")),
    "another error for an unknown client": answers(
        "unknown-client",
        at(
            TOKEN,
            lambda request, response: with_document(attrs.evolve(response, status=400), {"error": "invalid_grant"}),
        ),
    ),
    "no challenge for who has tried Basic": answers("basic-challenge", header(TOKEN, "WWW-Authenticate", None, "POST")),
    "a page for Basic that is no base64": answers(
        "error-json",
        lambda request, response: page(400) if ("Authorization", "Basic %%%") in request.headers else response,
    ),
    "a failure at a body in JSON": answers(
        "server-error",
        lambda request, response: page(500) if request.body.startswith(b"{") else response,
    ),
    "an open redirector by POST": answers(
        "open-redirect",
        lambda request, response: (
            astray(request, response) if request.method == "POST" and AUTHORIZE in request.url else response
        ),
    ),
    "introspection for everybody": answers(
        "unknown-client-served",
        at(
            "/introspect",
            lambda request, response: with_document(attrs.evolve(response, status=200), {"active": False}),
        ),
    ),
    "errors that caches keep": answers("no-store", header(TOKEN, "Cache-Control", None, "POST")),
    "an open redirector": answers("open-redirect", at(AUTHORIZE, astray)),
    "UserInfo without a challenge": answers("userinfo", header("/userinfo", "WWW-Authenticate", None)),
    "a list of clients": answers(
        "registration-listing",
        at(REGISTER, lambda request, response: with_document(attrs.evolve(response, status=200), {"clients": []})),
    ),
    "metadata closed to scripts": answers("cors-metadata", header(OAUTH, OTHER, None, "GET")),
    "preflights of metadata refused": answers("cors-preflight", answer(OAUTH, page(405), "OPTIONS")),
    "keys closed to scripts": answers("cors-jwks", header("/jwks", OTHER, None)),
    "a header that preflights do not allow": answers(
        "cors-token", header(TOKEN, "Access-Control-Allow-Headers", "content-type", "OPTIONS")
    ),
    "errors closed to scripts": answers("cors-errors", header(TOKEN, OTHER, None, "POST")),
    "registration closed to scripts": answers("cors-registration", answer(REGISTER, page(405), "OPTIONS")),
    "the authorization endpoint open to scripts": answers("cors-authorization", header(AUTHORIZE, OTHER, "*")),
    "cookies for any page": answers("cors-credentials", reflecting),
    "a clock that is an hour slow": answers("clock", header("", "Date", "Fri, 15 Jan 2027 07:00:00 GMT")),
    "a certificate of nobody": Fault("tls-certificate", tls(failure="self-signed certificate")),
    "a certificate that ends soon": Fault("tls-expiry", tls(expires_at=NOW + 3 * 86_400)),
    "TLS 1.0": Fault("tls-old", tls(old_version="TLSv1")),
    "a resource that is open": answers("resource-challenge", answer("example/mcp", HTML)),
    "a challenge of Basic": answers("resource-challenge", challenge(lambda said: 'Basic realm="x"')),
    "a resource with a slash": answers(
        "resource-redirect",
        lambda request, response: (
            redirecting(request, response)
            if request.url.endswith("/mcp") and "well-known" not in request.url
            else response
        ),
    ),
    "a challenge without a link": answers("resource-link", challenge(lambda said: 'Bearer scope="read"')),
    "a challenge without a scope": answers("resource-scope", challenge(lambda said: said.replace("scope", "realm"))),
    "an error before any token": answers(
        "resource-early-error", challenge(lambda said: said + ', error="invalid_token"')
    ),
    "a bad token that is no error": answers(
        "resource-bad-token", challenge(lambda said: said.replace("error=", "why="))
    ),
    "a scheme in one spelling": answers(
        "resource-scheme",
        lambda request, response: (
            page(400) if any(value.startswith("bearer ") for _, value in request.headers) else response
        ),
    ),
    "a token that is read in the URL": answers(
        "resource-query",
        at(
            "access_token=",
            lambda request, response: with_header(response, "WWW-Authenticate", 'Bearer error="invalid_token"'),
        ),
    ),
    "no metadata of the resource": answers("resource-metadata", answer("oauth-protected-resource", page(404))),
    "a link that leads nowhere": answers(
        "resource-link-leads",
        challenge(lambda said: said.replace("/.well-known/oauth-protected", "/.well-known/other")),
    ),
    "metadata of another resource": answers("resource-equal", resource(resource="https://as.example/mcp/")),
    "the resource's metadata as text": answers(
        "resource-type", header("oauth-protected-resource", "Content-Type", "text/plain", "GET")
    ),
    "another authorization server": answers("resource-servers", resource(authorization_servers=[ISSUER + "/"])),
    "several authorization servers": answers(
        "resource-several", resource(authorization_servers=[ISSUER, "https://other.example"])
    ),
    "offline_access of a resource": answers("resource-offline", resource(scopes_supported=["read", "offline_access"])),
    "tokens in the query": answers("resource-header", resource(bearer_methods_supported=["query"])),
    "scopes that nobody knows": answers("resource-scopes", resource(scopes_supported=["read", "execute"])),
    "the resource's metadata closed to scripts": answers(
        "cors-resource", header("oauth-protected-resource", OTHER, None)
    ),
}
