"""The resource server: may the bearer of this token do that (RFC 6750), and who tells (RFC 9728)?

It is given where tokens are found: in the authorization server's own storage (`StoredTokens`), or by asking another
server (`oauthcore.resource.introspected`). Nothing here knows clients, grants' making, or how a route is protected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

from oauthcore.clock import Clock
from oauthcore.context import OwnKeys
from oauthcore.digest import Digester, Secret
from oauthcore.errors import ConfigurationError, InsufficientScope, InvalidScope, InvalidToken, OAuthError
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.transact import refuse_errors
from oauthcore.jose.crypto import verify
from oauthcore.policy import Policy
from oauthcore.records.client_subject import client_subject
from oauthcore.records.liveness import is_live, registered_scope
from oauthcore.resource.bearer import Challenge, read_bearer
from oauthcore.resource.stored_token import find_access_token, issued_to
from oauthcore.scope import Scope, as_scope, parse_scope
from oauthcore.wire.cors import CORS, preflight
from oauthcore.wire.http import Request, Response

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@attrs.frozen(kw_only=True)
class Access:
    """Say what the bearer of a token may do: for whom (`subject`, None for the client itself) and until when.

    `claims` are further members of an introspection answer, which nobody has looked at.
    """

    client_id: str
    subject: str | None
    scope: Scope
    issued_at: int | None
    expires_at: int | None
    audience: tuple[str, ...] = ()
    issuer: str | None = None
    claims: Mapping[str, object] = attrs.field(factory=lambda: MappingProxyType({}), repr=False)

    @property
    def identity(self) -> str:
        """Return who acts, for a host that has one name for both: a person's subject, or what no person is called."""
        return client_subject(self.client_id) if self.subject is None else self.subject


FindAccess: TypeAlias = Callable[[Secret], Flow[Access | None]]
Implies: TypeAlias = Callable[[Scope], Iterable[str]]


def _itself(scope: Scope) -> Scope:
    return scope


class StoredTokens:
    """Find tokens in the storage of the server that issued them: three finds, or two for a client's own token.

    `own_keys` finds the server's keys, to know signed tokens again; without it there are none. `policy` is the
    server's: it says what outlives a login session.

    Whether the person is still known is asked of the world's `claims`. A `World` without takes everybody for known, and
    so tokens of a person whom the application has removed.
    """

    def __init__(
        self, issuer: str, clock: Clock, own_keys: OwnKeys = lambda: pure(()), policy: Policy | None = None
    ) -> None:
        self._policy = policy or Policy.oauth21()
        self._issuer = issuer
        self._clock = clock
        self._own_keys = own_keys
        self._digest = Digester(issuer)

    def __call__(self, value: Secret) -> Flow[Access | None]:
        """Return what a live token allows, of what its client is registered for now."""
        token = yield from find_access_token(value, self._digest, self._own_keys, verify)
        to = yield from issued_to(token)
        if token is None or to.client is None or not is_live(token, to, self._policy, int(self._clock())):
            return None
        if token.confirmation is not None:
            # Having it is not enough, and nobody has looked for a proof of the key (RFC 9449 section 7.2).
            return None
        return Access(
            client_id=token.client_id,
            subject=token.subject,
            scope=registered_scope(token.scope, to.client),
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            audience=token.audience,
            issuer=self._issuer,
        )


class ResourceServer:
    """Check bearer tokens for a resource, and publish its metadata.

    `tokens` finds them: `server.tokens`, or `IntrospectedTokens`. `resource` is the resource's own URL; with it, and
    the `authorization_servers` whose tokens it takes, there is a metadata document at `metadata_path` (RFC 9728), and
    each challenge names it. `audience` is what a token must be meant for; None takes any. `implies` widens a token's
    scope: `lambda scope: [*scope, "read"] if "write" in scope else scope`. `scopes` is what the metadata advertises.
    With `server.tokens`, give the world the same `claims` as the server's: without, nobody is ever gone.

    Raises `ConfigurationError` for settings that can't be.
    """

    def __init__(
        self,
        tokens: FindAccess,
        *,
        resource: str | None = None,
        authorization_servers: Iterable[str] = (),
        scopes: Iterable[str] = (),
        name: str | None = None,
        audience: str | None = None,
        realm: str | None = None,
        implies: Implies = _itself,
    ) -> None:
        self._tokens = tokens
        self._audience = audience
        self._implies = implies
        self.metadata_path: str | None = None
        metadata_url = None
        if resource is not None:
            self.metadata_path, metadata_url = _well_known(resource)
            self._metadata = _metadata(resource, tuple(authorization_servers), needed(scopes), name)
        self._challenge = Challenge(realm or resource or "oauthcore", metadata_url)

    def verify(self, request: Request, scope: str | Iterable[str] = ()) -> Flow[Access | Response]:
        """Find out what a request's token allows: an `Access` that covers all of `scope`, or the response to give.

        401 without and 403 with a token that falls short, 400 for what can't be read, 503 where nobody could be asked.
        Raises `ConfigurationError` for a scope that can't be.
        """
        wanted = needed(scope)
        return refuse_errors(
            self._verify(request, wanted), lambda error, cause: self._challenge.refuse(error, wanted, cause)
        )

    def judge(self, access: Access | None, scope: str | Iterable[str]) -> Access | Response:
        """Decide the same for an access that was found before, None if there is no such token."""
        wanted = needed(scope)
        if access is None:
            return self._challenge.ask(wanted)
        try:
            return self._decide(access, wanted)
        except OAuthError as error:
            return self._challenge.refuse(error, wanted)

    def owns(self, path: str) -> bool:
        """Tell whether a path is the metadata's."""
        return path == self.metadata_path

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request for the metadata (RFC 9728 section 3)."""
        if not self.owns(request.path):
            return pure(Response(404, (("Content-Type", "text/plain"),), b"There is nothing here.\n"))
        if request.method == "OPTIONS":
            return pure(preflight(request, ("GET", "HEAD")))
        if request.method not in {"GET", "HEAD"}:
            headers = (("Allow", "GET, HEAD, OPTIONS"), ("Content-Type", "text/plain"), *CORS)
            return pure(Response(405, headers, b"Use another method.\n"))
        return pure(self._metadata)

    def _verify(self, request: Request, wanted: Scope) -> Flow[Access | Response]:
        token = read_bearer(request)
        if token is None:
            return self._challenge.ask(wanted)
        access = yield from self._tokens(token)
        return self._decide(access, wanted)

    def _decide(self, access: Access | None, wanted: Scope) -> Access:
        if access is None:
            raise InvalidToken("the token is unknown, expired or revoked")
        if self._audience is not None and self._audience not in access.audience:
            raise InvalidToken(f"the token is not meant for {self._audience}")
        if not Scope(tuple(self._implies(access.scope))).covers(wanted):
            raise InsufficientScope(f"the token has {access.scope.text}, and this takes {wanted.text}")
        return access


def needed(scope: str | Iterable[str]) -> Scope:
    """Read the scope a host asks for (RFC 6749 appendix A.4); raises `ConfigurationError` for what can't be one."""
    try:
        return parse_scope(as_scope(scope).text)
    except InvalidScope:
        raise ConfigurationError("scope", scope, 'use printable ASCII without " and \\, divided by spaces') from None


def _well_known(resource: str) -> tuple[str, str]:
    """Return the path and the URL of the metadata: before the resource's own path (RFC 9728 section 3.1)."""
    parts = urlsplit(resource)
    if parts.scheme not in {"https", "http"} or not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError("resource", resource, "use an https URL without query and fragment")
    path = WELL_KNOWN + parts.path.rstrip("/")
    return path, f"{parts.scheme}://{parts.netloc}{path}"


def _metadata(resource: str, issuers: tuple[str, ...], scopes: Scope, name: str | None) -> Response:
    members: dict[str, object] = {"resource": resource, "bearer_methods_supported": ["header"]}
    if issuers:
        members["authorization_servers"] = list(issuers)
    if scopes:
        members["scopes_supported"] = list(scopes)
    if name is not None:
        members["resource_name"] = name
    headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"), *CORS)
    return Response(200, headers, json.dumps(members).encode("ascii"))
