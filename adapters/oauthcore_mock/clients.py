"""The clients of an issuer for tests: registered in one line, and completed by their own requests."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import attrs

from oauthcore import AuthorizationServer, Client, ConfigurationError, Request, Secret, World, run
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.grants.jwt_bearer import GRANT_TYPE as JWT_BEARER
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.scope import Scope
from oauthcore.token_exchange import GRANT_TYPE as TOKEN_EXCHANGE
from oauthcore_mock.settings import SCOPES

# Long enough for an HMAC with SHA-512 (RFC 7518 section 3.2), as `client_secret_jwt` may need.
SECRET = "the-secret-of-a-client-that-is-used-in-tests-and-nowhere-else-0"
# Where no process listens: a placeholder until the client sends its redirect URI.
UNKNOWN_REDIRECT = "https://not-known-yet.invalid/"
_TYPES = ("code", "id_token", "code id_token", "token", "id_token token", "code token", "code id_token token", "none")


@attrs.frozen
class RegisteredClient:
    """Hold the settings to configure a client with; a public one has a `client_secret` of None."""

    issuer: str
    client_id: str
    client_secret: str | None = attrs.field(repr=False)
    record: Client = attrs.field(repr=False)

    @property
    def auth(self) -> tuple[str, str]:
        """Return identifier and secret, as `auth=` of HTTP clients takes them (RFC 6749 section 2.3.1)."""
        return (self.client_id, self.client_secret or "")


def register(
    server: AuthorizationServer,
    world: World,
    client_id: str,
    secret: str | None,
    redirect_uris: tuple[str, ...],
    scope: str | None,
    alg: str,
    settings: dict[str, Any],
    *,
    is_public: bool,
) -> RegisteredClient:
    """Register a client for everything that its server offers."""
    offered = server.policy.grant_types | {"implicit", DEVICE_CODE, TOKEN_EXCHANGE}
    if server.trusted_issuers:
        offered |= {JWT_BEARER}
    if is_public:
        offered -= {"client_credentials", TOKEN_EXCHANGE}
    chosen: dict[str, Any] = {
        "redirect_uris": redirect_uris or (UNKNOWN_REDIRECT,),
        "scope": " ".join(SCOPES) if scope is None else scope,
        "grant_types": sorted(offered),
        "response_types": [each for each in _TYPES if each in server.policy.response_types],
        "token_endpoint_auth_method": "none" if is_public else None,
        "id_token_signed_response_alg": alg,
        "access_token_format": "jwt",
        # Most providers put claims of the user into the ID token, and most relying parties read them there.
        "id_token_claims": "all",
        "introspects_any": not is_public,
        **settings,
    }
    client = Client(client_id=client_id, **chosen)
    given = None if not client.has_secret else secret or SECRET
    made = run(server.clients.register(client, None if given is None else Secret(given), replace=True), world)
    return RegisteredClient(server.issuer, client_id, given, made.client)


class LearningClients:
    """Complete the registration of clients by what they request, where their tests have left it open."""

    def __init__(self, server: AuthorizationServer, world: World) -> None:
        self._server = server
        self._world = world
        self._redirects: set[str] = set()
        self._logouts: set[str] = set()
        self._scopes: set[str] = set()

    def watch(self, client_id: str, *, redirect_uri: bool, scope: bool) -> None:
        """Let a client learn its redirect URI, its scope, or neither."""
        for learning, learns in ((self._redirects, redirect_uri), (self._logouts, redirect_uri), (self._scopes, scope)):
            (learning.add if learns else learning.discard)(client_id)

    def learn(self, request: Request) -> None:
        """Add what a request shows to its client's registration: a redirect URI once, a scope at any time."""
        if not self._redirects and not self._logouts and not self._scopes:
            return
        parameters = dict(parse_qsl(request.query) + parse_qsl(request.body.decode("utf-8", "replace")))
        client_id = (
            parameters.get("client_id") or authenticated_as(request) or _hinted(parameters.get("id_token_hint", ""))
        )
        if client_id is None:
            return
        changes: dict[str, object] = {}
        for learning, name, setting in (
            (self._redirects, "redirect_uri", "redirect_uris"),
            (self._logouts, "post_logout_redirect_uri", "post_logout_redirect_uris"),
        ):
            if client_id in learning and name in parameters:
                learning.discard(client_id)
                changes[setting] = (parameters[name],)
        if client_id in self._scopes and "scope" in parameters:
            changes |= self._more_scope(client_id, parameters["scope"])
        if changes:
            # What can't be registered is left out, so the core refuses the request as for any unregistered value.
            with suppress(ConfigurationError):
                _ = run(self._server.clients.update(client_id, **changes), self._world)

    def _more_scope(self, client_id: str, requested: str) -> dict[str, object]:
        client = run(self._server.clients.find(client_id), self._world)
        known = Scope() if client is None else client.scope
        more = [token for token in requested.split(" ") if token and token not in known]
        return {"scope": Scope((*known, *dict.fromkeys(more)))} if more else {}


def authenticated_as(request: Request) -> str | None:
    """Return the client that HTTP Basic names (RFC 6749 section 2.3.1), not authenticated."""
    scheme, _, credentials = (request.header("authorization") or "").partition(" ")
    if scheme not in {"Basic", "basic"}:
        return None
    try:
        return unquote_plus(base64.b64decode(credentials).decode("utf-8").partition(":")[0])
    except (binascii.Error, UnicodeDecodeError):
        return None


def _hinted(id_token: str) -> str | None:
    """Return the client that an ID token is issued to, not verified."""
    try:
        party = read_claims(read_signed(id_token).payload).get("azp")
    except InvalidJwt:
        return None
    return party if isinstance(party, str) else None
