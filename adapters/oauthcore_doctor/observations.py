"""What was sent to a deployment and what was received: the only input of checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import lru_cache
from urllib.parse import urlsplit

import attrs

from oauthcore import Outgoing, Response, Secret
from oauthcore.jose.strict_json import parse_object
from oauthcore.redirect_uri import LOOPBACK_HOSTS
from oauthcore.wire.text import media_type


class Probe(Enum):
    """The names of the requests of a walk."""

    # The places where clients look for metadata. If the issuer has no path, the second and the third are the same.
    OAUTH_INSERTED = "RFC 8414 metadata"
    OIDC_INSERTED = "OpenID metadata, inserted before the path"
    OIDC_APPENDED = "OpenID metadata"
    # Where no client looks, but some servers publish it.
    OAUTH_APPENDED = "RFC 8414 metadata, appended to the path"
    REDIRECTED = "where discovery redirects to"

    FORGED_HOST = "metadata with a forged Host"
    FORGED_FORWARDED = "metadata with forged X-Forwarded headers"
    MCP_VERSION = "metadata with an MCP version"
    CORS_METADATA = "metadata for a script of another origin"
    PREFLIGHT_METADATA = "preflight for metadata"
    PREFLIGHT_TOKEN = "preflight for the token endpoint"
    PREFLIGHT_REGISTRATION = "preflight for registration"
    CORS_AUTHORIZATION = "authorization endpoint for a script of another origin"

    JWKS = "key set"
    CORS_JWKS = "key set for a script of another origin"

    TOKEN_GET = "GET at the token endpoint"
    TOKEN = "token request of an unknown client"
    TOKEN_BASIC = "token request of an unknown client by Basic"
    TOKEN_BROKEN_BASIC = "token request with Basic that is no base64"
    TOKEN_OTHER_TYPE = "token request in JSON"
    TOKEN_TWICE = "token request with a parameter twice"
    CORS_TOKEN = "token request of a script of another origin"
    INTROSPECTION = "introspection without credentials"
    REVOCATION = "revocation of an unknown client"
    PUSHED = "pushed request of an unknown client"
    DEVICE = "device authorization of an unknown client"
    AUTHORIZATION = "authorization request of an unknown client"
    AUTHORIZATION_POST = "authorization request of an unknown client by POST"
    USERINFO = "UserInfo without a token"
    LOGOUT = "logout without a session"
    REGISTRATION_GET = "GET at the registration endpoint"

    RESOURCE = "resource without a token"
    RESOURCE_BAD_TOKEN = "resource with a token that was never issued"
    RESOURCE_LOWER = "resource with such a token after bearer in small letters"
    RESOURCE_QUERY = "resource with such a token in the query"
    RESOURCE_LINKED = "resource metadata that the challenge names"
    RESOURCE_INSERTED = "resource metadata"
    RESOURCE_ROOT = "resource metadata at the root"
    CORS_RESOURCE = "resource metadata for a script of another origin"

    CLIENT_ERROR = "authorization request with an unknown response type"
    CLIENT_WITHOUT_PKCE = "authorization request without PKCE"
    CLIENT_PLAIN = "authorization request with PKCE by plain"
    CLIENT_OTHER_REDIRECT = "authorization request with another redirect URI"
    CLIENT_TWICE = "authorization request with a parameter twice"
    CLIENT_SILENT = "authorization request with prompt=none"
    CLIENT_PAGE = "authorization request"
    CLIENT_PAGE_BEHIND = "page that an authorization request leads to"
    CLIENT_GRANT = "token request by an unknown grant type"
    CLIENT_REVOCATION = "revocation of an unknown token"
    CLIENT_PUSHED = "pushed request with an unknown response type"
    CLIENT_CREDENTIALS = "token request by client credentials"
    CLIENT_INTROSPECTION = "introspection of an unknown token"


METADATA = (Probe.OAUTH_INSERTED, Probe.OIDC_INSERTED, Probe.OIDC_APPENDED)
RESOURCE_METADATA = (Probe.RESOURCE_LINKED, Probe.RESOURCE_INSERTED, Probe.RESOURCE_ROOT)


@attrs.frozen
class LentClient:
    """A client that the operator provides for a walk."""

    client_id: str
    secret: Secret | None = None
    redirect_uri: str | None = None


@attrs.frozen
class Target:
    """What to examine: an issuer, a resource, or both. Without an issuer, the first one that the resource names."""

    issuer: str | None = None
    resource: str | None = None
    client: LentClient | None = None


@attrs.frozen
class Exchange:
    """A request and its response, or why there is none; `at` is when it ended, in seconds since the epoch."""

    request: Outgoing
    response: Response | None
    at: float
    failure: str = ""

    @property
    def summary(self) -> str:
        """Describe the response in a few words."""
        if self.response is None:
            return self.failure or "no answer"
        kind = media_type(self.response.header("content-type"))
        return f"{self.response.status} {kind}" if kind else str(self.response.status)


@attrs.frozen
class TlsObservation:
    """The result of a TLS handshake: `failure` says why the certificate was not accepted, None if it was.

    `old_version` is the highest version before TLS 1.2 that the server accepts, None if it accepts none.
    """

    host: str
    at: float
    failure: str | None = None
    expires_at: float | None = None
    old_version: str | None = None


@attrs.frozen
class Observations:
    """Hold all observations of a walk."""

    target: Target
    exchanges: Mapping[Probe, Exchange]
    tls: tuple[TlsObservation, ...] = ()

    @property
    def issuer(self) -> str | None:
        """Return the issuer as clients are configured with it."""
        return self.target.issuer

    def response(self, probe: Probe) -> Response | None:
        """Return the response to a probe; None if it was not sent, or not answered."""
        exchange = self.exchanges.get(probe)
        return None if exchange is None else exchange.response

    def document(self, probe: Probe) -> dict[str, object] | None:
        """Return the response to a probe as a JSON object; None if it is not one."""
        response = self.response(probe)
        return object_of(response.body) if response is not None and response.status == 200 else None

    def documents(self) -> Iterator[tuple[Probe, dict[str, object]]]:
        """Return every metadata document that was found where clients look."""
        for probe in METADATA:
            document = self.document(probe)
            if document is not None:
                yield probe, document

    @property
    def metadata(self) -> dict[str, object]:
        """Return the first metadata document; empty if there is none, so that lookups in it find nothing."""
        misplaced = self.document(Probe.OAUTH_APPENDED)
        return next((document for _, document in self.documents()), misplaced or {})

    @property
    def openid(self) -> dict[str, object] | None:
        """Return the OpenID Provider metadata; None if there is none."""
        return self.document(Probe.OIDC_APPENDED) or self.document(Probe.OIDC_INSERTED)

    @property
    def resource_metadata(self) -> dict[str, object] | None:
        """Return the first document about the resource; None if there is none."""
        return next((found for found in map(self.document, RESOURCE_METADATA) if found is not None), None)


# A little more than a walk has: every check parses the same documents, and none changes them.
@lru_cache(maxsize=64)
def object_of(body: bytes) -> dict[str, object] | None:
    """Return the JSON object that a body is; None for any other."""
    try:
        return parse_object(body)
    except ValueError:
        return None


def text_of(document: Mapping[str, object], name: str) -> str | None:
    """Return a member that is a string; None if it is missing or of another type."""
    value = document.get(name)
    return value if isinstance(value, str) else None


def texts_of(document: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    """Return a member that is a list of strings; None if it is missing or of another type."""
    value = document.get(name)
    if not isinstance(value, list):
        return None
    texts = tuple(item for item in value if isinstance(item, str))
    return texts if len(texts) == len(value) else None


def origin_of(url: str) -> str:
    """Return scheme and authority of a URL, as they are written."""
    scheme, _, rest = url.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return f"{scheme}://{rest[:end]}"


def is_url(url: str) -> bool:
    """Return whether a text is an absolute http or https URL that can be requested."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine, so that no network is involved."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in LOOPBACK_HOSTS or f"[{host}]" in LOOPBACK_HOSTS or host.startswith("127.")
