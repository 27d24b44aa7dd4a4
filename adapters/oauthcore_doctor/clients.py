"""Known clients, and the faults of servers for which they fail, by the source or documentation beside each row.

A row's function reads the same observations as a check. A client without a row for a fault may still fail: only what is
known of it is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

from oauthcore.wire.text import media_type
from oauthcore_doctor.challenge import scheme_of
from oauthcore_doctor.checks.authorization import takes_documents
from oauthcore_doctor.checks.cors import lets_in, refusal
from oauthcore_doctor.checks.keys import published
from oauthcore_doctor.checks.members import BOOLEANS, is_of_its_type, urls
from oauthcore_doctor.checks.resource import challenge_of
from oauthcore_doctor.finding import printable
from oauthcore_doctor.observations import (
    METADATA,
    Observations,
    Probe,
    is_loopback,
    is_url,
    origin_of,
    text_of,
    texts_of,
)

Fails: TypeAlias = Callable[[Observations], Iterable[str]]


@attrs.frozen
class KnownClient:
    """A client, and a reason for which it fails at some servers; `source` is where that can be read."""

    name: str
    what: str
    fails: Fails = attrs.field(repr=False)
    source: str


@attrs.frozen
class ClientTrouble:
    """A client that fails, and why."""

    name: str
    reason: str = attrs.field(converter=printable)
    source: str


def troubles(seen: Observations) -> Iterator[ClientTrouble]:
    """Return the known clients that fail."""
    for row in CLIENTS:
        for reason in row.fails(seen):
            yield ClientTrouble(row.name, reason, row.source)


def found_issuer(seen: Observations, probe: Probe) -> str | None:
    """Return the issuer of a document; None if there is no document or no issuer."""
    return text_of(seen.document(probe) or {}, "issuer")


def first_document(seen: Observations) -> tuple[Probe, dict[str, object]] | None:
    """Return the document that an MCP client reads: the first in its order (MCP authorization 2025-11-25)."""
    for probe in METADATA:
        document = seen.document(probe)
        if document is not None:
            return probe, document
    return None


def expected_issuer(seen: Observations) -> str | None:
    """Return the issuer that an MCP client expects: the first that the resource names, or the one it was given."""
    listed = texts_of(seen.resource_metadata or {}, "authorization_servers")
    return listed[0] if listed else seen.issuer


def mcp_issuer(seen: Observations) -> Iterator[str]:
    """Compare as strings."""
    found, expected = first_document(seen), expected_issuer(seen)
    if found is not None and found[1].get("issuer") != expected:
        yield f"it compares issuer {text_of(found[1], 'issuer')} with {expected} as strings, and ends the sign-in"


def mcp_python_document(seen: Observations) -> Iterator[str]:
    """Use the first complete document whose members have the right types."""
    documents = [document for _, document in seen.documents()]
    if documents and not any(map(is_readable, documents)):
        yield "it reads no metadata that lacks an endpoint, or has a member of another type, and finds none"


def is_readable(document: Mapping[str, object]) -> bool:
    """Return whether MCP's SDK for Python can read a document: its model has these members."""
    needed = ("issuer", "authorization_endpoint", "token_endpoint")
    return (
        all(name in document for name in needed)
        # It accepts "true" as a boolean.
        and all(name in BOOLEANS or is_of_its_type(name, value) for name, value in document.items())
        and all(is_url(url) for _, url in urls(document))
    )


def mcp_typescript_openid(seen: Observations) -> Iterator[str]:
    """Require the members of OpenID metadata if that is the document it reads."""
    found = first_document(seen)
    if found is None or found[0] is Probe.OAUTH_INSERTED:
        return
    needed = ("jwks_uri", "subject_types_supported", "id_token_signing_alg_values_supported")
    lacking = [name for name in needed if name not in found[1]]
    if lacking:
        yield f"it can't parse OpenID metadata without {', '.join(lacking)}"


def mcp_typescript_code(seen: Observations) -> Iterator[str]:
    """Need the code among the response types."""
    found = first_document(seen)
    if found is not None and "code" not in (texts_of(found[1], "response_types_supported") or ()):
        yield "it throws unless response_types_supported has code"


def mcp_typescript_s256(seen: Observations) -> Iterator[str]:
    """Need S256 where there is a list."""
    found = first_document(seen)
    methods = texts_of(found[1], "code_challenge_methods_supported") if found is not None else None
    if methods is not None and "S256" not in methods:
        yield "it throws where code_challenge_methods_supported is there without S256"


def mcp_typescript_link(seen: Observations) -> Iterator[str]:
    """Follow the link of the challenge, look nowhere else, and go on as clients did before RFC 9728."""
    resource = seen.target.resource
    if resource is None or Probe.RESOURCE_LINKED not in seen.exchanges or seen.document(Probe.RESOURCE_LINKED):
        return
    origin = origin_of(resource)
    if seen.issuer is not None and seen.issuer.rstrip("/") != origin:
        yield f"it finds no metadata at resource_metadata of the challenge, and takes {origin} for the issuer"


def mcp_typescript_challenge(seen: Observations) -> Iterator[str]:
    """Read a challenge that begins with Bearer or DPoP."""
    challenge = challenge_of(seen)
    if "resource_metadata" in challenge and scheme_of(challenge) not in {"bearer", "dpop"}:
        yield "it ignores a challenge that does not begin with Bearer or DPoP, and so the link in it"


def mcp_server_failure(seen: Observations) -> Iterator[str]:
    """Stop at a 5xx where another place would have had the metadata."""
    for probe in METADATA:
        response = seen.response(probe)
        if response is not None and response.status >= 500:
            yield f"it stops at {response.status} from {seen.exchanges[probe].request.url}"
        if seen.document(probe) is not None:
            return


def registers(seen: Observations) -> bool:
    """Return whether a client can be used without manual registration."""
    return "registration_endpoint" in seen.metadata or takes_documents(seen)


def is_of_mcp(seen: Observations) -> bool:
    """Return whether MCP clients are concerned: a resource is examined, or there is a way to register."""
    return seen.target.resource is not None or registers(seen)


def no_registration(seen: Observations) -> Iterator[str]:
    """Need a way to register, or a client_id configured by the user."""
    if seen.target.resource is not None and seen.metadata and not registers(seen):
        yield "it can neither register nor use its metadata document, and needs a client_id by hand"


def no_dynamic_registration(seen: Observations) -> Iterator[str]:
    """Support only dynamic registration."""
    if seen.target.resource is not None and seen.metadata and "registration_endpoint" not in seen.metadata:
        yield "it was seen to register (RFC 7591) and to give up where that can't be done, unless given a client_id"


def chatgpt_s256(seen: Observations) -> Iterator[str]:
    """Need PKCE to be announced."""
    found = first_document(seen)
    if is_of_mcp(seen) and found is not None:
        methods = texts_of(found[1], "code_challenge_methods_supported") or ()
        if "S256" not in methods:
            yield "it needs S256 in code_challenge_methods_supported"


def inspector(seen: Observations) -> Iterator[str]:
    """Run in a browser."""
    if not is_of_mcp(seen):
        return
    metadata = seen.exchanges.get(Probe.CORS_METADATA)
    if metadata is not None and metadata.response is not None and not lets_in(metadata):
        yield "it runs in a browser, which does not let it read the metadata"
    token = seen.exchanges.get(Probe.PREFLIGHT_TOKEN)
    if token is not None and token.response is not None and refusal(token) is not None:
        yield f"it runs in a browser, which does not let it call the token endpoint: {refusal(token)}"


def vscode_resource(seen: Observations) -> Iterator[str]:
    """Compare the resource as a URL."""
    resource = text_of(seen.resource_metadata or {}, "resource")
    if resource is not None and seen.target.resource is not None and not same_url(resource, seen.target.resource):
        yield f"resource {resource} of the metadata does not match target server URL {seen.target.resource}"


def same_url(one: str, other: str) -> bool:
    """Return whether two URLs are one after `new URL()`: case of the host, the default port and a blank path aside."""
    return normalized(one) == normalized(other)


def normalized(url: str) -> tuple[object, ...]:
    """Return the parts of a URL that the WHATWG's parser distinguishes."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        return (parts.scheme, parts.hostname, port, parts.path or "/", parts.query, parts.fragment)
    except ValueError:
        return (url,)


def javascript_issuer(seen: Observations) -> Iterator[str]:
    """Compare as URLs."""
    issuer, found = seen.issuer, found_issuer(seen, Probe.OIDC_APPENDED)
    if issuer is not None and found is not None and not same_url(issuer, found):
        yield f'"issuer" {found} does not match the expected value {issuer}'


def javascript_redirect(seen: Observations) -> Iterator[str]:
    """Follow no redirect of discovery."""
    response = seen.response(Probe.OIDC_APPENDED)
    if response is not None and 300 <= response.status < 400:
        yield f"it takes {response.status} for an unexpected HTTP status code, and follows no redirect"


def javascript_type(seen: Observations) -> Iterator[str]:
    """Need the content type of JSON."""
    response = seen.response(Probe.OIDC_APPENDED)
    if response is not None and seen.document(Probe.OIDC_APPENDED) is not None:
        kind = media_type(response.header("content-type"))
        if kind != "application/json":
            yield f"discovery has content type {kind or 'none'}, and it takes application/json alone"
    keys = seen.response(Probe.JWKS)
    if keys is not None and keys.status == 200:
        kind = media_type(keys.header("content-type"))
        if kind not in {"application/json", "application/jwk-set+json"}:
            yield f"the key set has content type {kind or 'none'}"


def javascript_http(seen: Observations) -> Iterator[str]:
    """Need https."""
    plain = [url for url in (seen.issuer, text_of(seen.metadata, "token_endpoint")) if url and url.startswith("http:")]
    if plain and seen.metadata:
        loopback = " (allowInsecureRequests lets it, for development)" if is_loopback(plain[0]) else ""
        yield f"it refuses {plain[0]}: only requests to HTTPS are allowed{loopback}"


def go_issuer(seen: Observations) -> Iterator[str]:
    """Compare as strings."""
    found = found_issuer(seen, Probe.OIDC_APPENDED)
    if found is not None and found != seen.issuer:
        yield f"oidc: issuer did not match the issuer returned by provider, expected {seen.issuer} got {found}"


def openid_appended(seen: Observations) -> Iterator[str]:
    """Look only at the URL after the path."""
    if seen.openid is not None and seen.document(Probe.OIDC_APPENDED) is None:
        yield f"it looks at {seen.exchanges[Probe.OIDC_APPENDED].request.url} alone"


def apache_types(seen: Observations) -> Iterator[str]:
    """Need a response type that it knows."""
    types = texts_of(seen.openid or {}, "response_types_supported")
    known = {"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
    if types is not None and not known & set(types):
        yield "it could not find a supported response type in provider metadata"


def apache_authorization(seen: Observations) -> Iterator[str]:
    """Need an authorization endpoint that is a URL."""
    if seen.openid is not None and text_of(seen.openid, "authorization_endpoint") is None:
        yield "it refuses provider metadata without authorization_endpoint"


def authlib_keys(seen: Observations) -> Iterator[str]:
    """Need jwks_uri for ID tokens."""
    if seen.openid is not None and text_of(seen.openid, "jwks_uri") is None:
        yield 'Missing "jwks_uri" in metadata'


def django_kid(seen: Observations) -> Iterator[str]:
    """Read kid of every key."""
    if any("kid" not in key for key in published(seen)):
        yield "it reads kid of every key (OIDC_VERIFY_KID), and a key without one ends in KeyError"


def django_userinfo(seen: Observations) -> Iterator[str]:
    """Need UserInfo."""
    if seen.openid is not None and "userinfo_endpoint" not in seen.openid:
        yield "it needs OIDC_OP_USER_ENDPOINT, and there is no UserInfo endpoint"


def msal_authority(seen: Observations) -> Iterator[str]:
    """Need an https URL with a path, as those of Entra have a tenant."""
    if seen.openid is None or seen.issuer is None:
        return
    if not seen.issuer.startswith("https://"):
        yield "it takes an authority of https alone"
    elif not urlsplit(seen.issuer).path.strip("/"):
        yield "it takes an authority with a path alone, as https://as.example/tenant"


_MCP_PYTHON = "MCP SDK for Python (mcp 2.3.0)"
_MCP_TYPESCRIPT = "MCP SDK for TypeScript (@modelcontextprotocol/client 2.4.0)"
# Auth.js is made with oauth4webapi (next-auth packages/core/package.json).
_OPENID_CLIENT = "openid-client 6, oauth4webapi 3, Auth.js"
_GO = "go-oidc (oauth2-proxy, Dex, Kubernetes tools)"
_APACHE = "github.com/OpenIDC/mod_auth_openidc src/metadata/provider.c"
_OAUTH4WEBAPI = "oauth4webapi 3.8.8 build/index.js, "

CLIENTS: tuple[KnownClient, ...] = (
    KnownClient(
        *(_MCP_PYTHON, "reads metadata by a model", mcp_python_document),
        "mcp 2.3.0 mcp/client/auth/utils.py, handle_auth_metadata_response",
    ),
    KnownClient(
        _MCP_PYTHON,
        "compares the issuer as a string",
        mcp_issuer,
        "mcp 2.3.0 mcp/client/auth/utils.py, validate_metadata_issuer",
    ),
    KnownClient(
        _MCP_PYTHON,
        "stops at the first 5xx of discovery",
        mcp_server_failure,
        "mcp 2.3.0 mcp/client/auth/utils.py, handle_auth_metadata_response",
    ),
    KnownClient(
        _MCP_TYPESCRIPT,
        "parses OpenID metadata by a schema",
        mcp_typescript_openid,
        "@modelcontextprotocol/client 2.4.0, discovery's schema",
    ),
    KnownClient(
        _MCP_TYPESCRIPT,
        "needs code among the response types",
        mcp_typescript_code,
        "@modelcontextprotocol/client 2.4.0, startAuthorization",
    ),
    KnownClient(
        _MCP_TYPESCRIPT,
        "needs S256 where there is a list",
        mcp_typescript_s256,
        "@modelcontextprotocol/client 2.4.0, startAuthorization",
    ),
    KnownClient(
        _MCP_TYPESCRIPT,
        "follows the link of the challenge alone",
        mcp_typescript_link,
        "@modelcontextprotocol/client 2.4.0, discoverOAuthServerInfo",
    ),
    KnownClient(
        _MCP_TYPESCRIPT,
        "reads challenges that begin with Bearer or DPoP",
        mcp_typescript_challenge,
        "@modelcontextprotocol/client 2.4.0, extractWWWAuthenticateParams",
    ),
    KnownClient("MCP Inspector", "runs in a browser", inspector, "github.com/modelcontextprotocol/inspector issue 817"),
    KnownClient(
        "VS Code",
        "compares the resource as a URL",
        vscode_resource,
        "github.com/microsoft/vscode src/vs/base/common/oauth.ts",
    ),
    KnownClient(
        "Claude Code",
        "registers, or has to be given a client_id",
        no_registration,
        "github.com/anthropics/claude-code issues 3273 and 67258",
    ),
    KnownClient(
        *("Cursor", "registers dynamically", no_dynamic_registration),
        "github.com/freema/openclaw-mcp issue 24, github.com/Altinity/altinity-mcp issue 169",
    ),
    KnownClient(
        "ChatGPT",
        "registers, or has to be given a client_id",
        no_registration,
        "developers.openai.com/plugins/build/auth",
    ),
    KnownClient(
        "ChatGPT",
        "needs S256 to be announced",
        chatgpt_s256,
        "developers.openai.com/apps-sdk/build/auth, Advertise PKCE support",
    ),
    KnownClient(
        _OPENID_CLIENT, "compares the issuer as a URL", javascript_issuer, _OAUTH4WEBAPI + "processDiscoveryResponse"
    ),
    KnownClient(
        _OPENID_CLIENT,
        "follows no redirect",
        javascript_redirect,
        _OAUTH4WEBAPI + "redirect: 'manual' and processDiscoveryResponse",
    ),
    KnownClient(
        _OPENID_CLIENT,
        "needs the content type of JSON",
        javascript_type,
        _OAUTH4WEBAPI + "assertApplicationJson, assertContentTypes",
    ),
    # Not Auth.js, which allows plain http (@auth/core 0.41.3 lib/actions, allowInsecureRequests).
    KnownClient(
        "openid-client 6, oauth4webapi 3",
        "takes https alone",
        javascript_http,
        _OAUTH4WEBAPI + "only requests to HTTPS are allowed",
    ),
    KnownClient(
        _GO, "compares the issuer as a string", go_issuer, "github.com/coreos/go-oidc oidc/oidc.go, NewProvider"
    ),
    KnownClient(
        _GO,
        "looks behind the path of the issuer alone",
        openid_appended,
        "github.com/coreos/go-oidc oidc/oidc.go, NewProvider",
    ),
    KnownClient("mod_auth_openidc", "looks behind the path of the issuer alone", openid_appended, _APACHE),
    KnownClient("mod_auth_openidc", "needs a response type that it knows", apache_types, _APACHE),
    KnownClient("mod_auth_openidc", "needs an authorization endpoint", apache_authorization, _APACHE),
    KnownClient(
        "Authlib",
        "needs jwks_uri for ID tokens",
        authlib_keys,
        "authlib 1.9.10 base_client/sync_openid.py, fetch_jwk_set",
    ),
    KnownClient(
        "mozilla-django-oidc",
        "reads kid of every key",
        django_kid,
        "mozilla_django_oidc/auth.py, retrieve_matching_jwk",
    ),
    KnownClient(
        "mozilla-django-oidc",
        "asks UserInfo at each sign-in",
        django_userinfo,
        "mozilla_django_oidc/auth.py, OIDCAuthenticationBackend",
    ),
    KnownClient(
        "MSAL for Python",
        "takes https with a path alone",
        msal_authority,
        "msal 1.39.0 msal/authority.py, canonicalize",
    ),
)
