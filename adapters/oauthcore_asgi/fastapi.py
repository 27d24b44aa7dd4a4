"""FastAPI: what Starlette has, and bearer protection as a security dependency that its OpenAPI document shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import HTTPException, Request, Response, Security
from fastapi.openapi.models import HTTPBearer, OAuth2, OAuthFlowAuthorizationCode, OAuthFlows
from fastapi.openapi.models import SecurityBase as Model
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from oauthcore import Access, AsyncWorld, AuthorizationServer, ResourceServer, World
from oauthcore import Response as CoreResponse
from oauthcore.flow.drivers import check_world
from oauthcore.wire.text import ascii_lower
from oauthcore_asgi import starlette
from oauthcore_asgi.protect import verify
from oauthcore_asgi.starlette import respond, wire_of

# What the scopes of each resource server are for, so long as there is one.
_DESCRIBED: WeakKeyDictionary[ResourceServer, dict[str, str]] = WeakKeyDictionary()

__all__ = ["Access", "OAuth", "Protect", "Refused", "answer_refused", "protect"]


class OAuth(starlette.OAuth):
    """An authorization server in a FastAPI application: take its `routes`, or mount it, and `well_known`."""

    def protect(  # type: ignore[explicit-override]  # typing.override is 3.12's
        self,
        scope: str | Iterable[str] | Mapping[str, str] = (),
        *,
        acr_values: str | Iterable[str] = (),
        max_age: int | None = None,
    ) -> Any:
        """Make a dependency for this server's tokens: `token: Annotated[Access, oauth.protect("profile")]`.

        A mapping says in the OpenAPI document what each scope is for: `{"profile": "Know who you are"}`.
        """
        own, server = self._own_tokens, self.server
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age, server=server)


class Refused(HTTPException):
    """Refuse a request with the challenge (RFC 6750 section 3); its `response` is that of every other host.

    FastAPI answers with the status, the headers and a body of its own; `answer_refused` with the whole response.
    """

    def __init__(self, response: CoreResponse) -> None:
        refusal = response.refusal
        names = ("www-authenticate", "retry-after", "cache-control")
        super().__init__(
            response.status,
            (refusal.code if refusal is not None else "") or "a bearer token is needed",
            {name: value for name, value in response.headers if ascii_lower(name) in names},
        )
        self.response = response


async def answer_refused(request: Request, error: Exception) -> Response:
    """Answer as every other host does: `app.add_exception_handler(Refused, answer_refused)`."""
    assert isinstance(error, Refused)
    return respond(error.response)


class Protect(SecurityBase):
    """The dependency that gives the `Access` of a request's token, or raises `Refused`; `protect` makes them.

    Two that require the same are one to FastAPI, whatever their scope: so tests replace what all routes have.
    """

    def __init__(
        self,
        resource_server: ResourceServer,
        world: World | AsyncWorld,
        *,
        acr_values: str | Iterable[str] = (),
        max_age: int | None = None,
        server: AuthorizationServer | None = None,
        described: dict[str, str] | None = None,
    ) -> None:
        check_world(world)
        self.scheme_name = "oauth"
        self._resource_server = resource_server
        self._world = world
        required = resource_server.protect((), acr_values=acr_values, max_age=max_age).requirement
        self._required: dict[str, Any] = {"acr_values": required.acr_values, "max_age": required.max_age}
        self._server = server
        self._described = {} if described is None else described

    @property
    def model(self) -> Model:  # type: ignore[override, explicit-override]  # FastAPI's is a field, and scopes are described later
        """Return what the OpenAPI document says: where tokens come from, if that is known."""
        if self._server is None:
            return HTTPBearer()
        root, paths = self._server.issuer.rstrip("/"), self._server.paths
        flow = OAuthFlowAuthorizationCode(
            authorizationUrl=root + paths.authorization, tokenUrl=root + paths.token, scopes=self._described
        )
        return OAuth2(flows=OAuthFlows(authorizationCode=flow))

    async def __call__(self, request: Request, scopes: SecurityScopes) -> Access:
        """Return what the token allows."""
        protection = self._resource_server.protect(scopes.scopes, **self._required)
        verdict = await verify(wire_of(request), protection, self._world)
        if isinstance(verdict, Access):
            return verdict
        raise Refused(verdict)

    def __eq__(self, other: object) -> bool:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return whether another requires the same of the same tokens, but for the scope."""
        return isinstance(other, Protect) and self._identity == other._identity

    def __hash__(self) -> int:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return a number for it that is the same for what is equal."""
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return (id(self._resource_server), id(self._world), *self._required.values())


def protect(
    resource_server: ResourceServer,
    world: World | AsyncWorld,
    scope: str | Iterable[str] | Mapping[str, str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
    server: AuthorizationServer | None = None,
) -> Any:
    """Make a security dependency: `token: Annotated[Access, protect(resource_server, world, "profile")]`.

    `server` tells the OpenAPI document where tokens come from; a mapping as `scope` what each scope is for. Tests
    replace what is required without `acr_values` and `max_age` by
    `app.dependency_overrides[protect(resource_server, world).dependency] = lambda: Access(…)`.
    """
    required = resource_server.protect(scope, acr_values=acr_values, max_age=max_age).requirement
    # One scheme in the document, which names the scopes of all routes.
    described = _DESCRIBED.setdefault(resource_server, {})
    for name in required.scope:
        described[name] = scope[name] if isinstance(scope, Mapping) else described.get(name, "")
    made = Protect(resource_server, world, acr_values=acr_values, max_age=max_age, server=server, described=described)
    return Security(made, scopes=list(required.scope))
