"""Starlette: its requests and responses, and an `AuthenticationBackend` for bearer tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property, wraps
from typing import TypeAlias

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from oauthcore import Access, AsyncWorld, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.flow.drivers import check_world
from oauthcore_asgi.application import Embedded
from oauthcore_asgi.framework import Framework
from oauthcore_asgi.protect import request_verifier, verify
from oauthcore_asgi.wire import head_of, raw_headers

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def wire_of(connection: HTTPConnection) -> CoreRequest:
    """Return a Starlette request as the core's, without its body."""
    return head_of(connection.scope, connection.scope["path"])


def respond(response: CoreResponse) -> Response:
    """Return the core's response as Starlette's."""
    spelled = Response(response.body, response.status)
    spelled.raw_headers = raw_headers(response)
    return spelled


STARLETTE: Framework[Request, Response] = Framework(
    request_of=lambda scope, _: Request(scope), wire_of=wire_of, respond=respond
)


class OAuth(Embedded[Request, Response]):
    """An authorization server in a Starlette application: take its `routes`, or mount it, and `well_known`."""

    framework = STARLETTE

    @property
    def routes(self) -> list[BaseRoute]:
        """Return the endpoints, well-known ones too, wherever the application or a router of theirs is mounted."""
        return [EndpointRoute(path, self) for path in self.seen_paths]

    def bearer(self) -> BearerBackend:
        """Make an `AuthenticationBackend` for this server's tokens."""
        return BearerBackend(self._own_tokens, self.world)

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """Let an endpoint be called with one of this server's tokens for all of the scope, its `Access` in
        `request.state.access`.
        """
        return protect(self._own_tokens, self.world, scope, acr_values=acr_values, max_age=max_age)

    @cached_property
    def _own_tokens(self) -> ResourceServer:
        return ResourceServer(self.server.tokens)


class EndpointRoute(Route):
    """Match a path only where the whole path of the request is an endpoint's, so that no other route is hidden."""

    def __init__(self, path: str, oauth: OAuth) -> None:
        super().__init__(path, oauth, include_in_schema=False)
        self._oauth = oauth

    def matches(self, scope: Scope) -> tuple[Match, Scope]:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return whether a request is for an endpoint."""
        if scope["type"] == "http" and self._oauth.path_in(scope) is None:
            return Match.NONE, {}
        return super().matches(scope)


class BearerUser(BaseUser):
    """Be `request.user`, by what the token allows."""

    def __init__(self, access: Access) -> None:
        self.access = access

    @property
    def is_authenticated(self) -> bool:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Tell that a token was good."""
        return True

    @property
    def display_name(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return the subject, or what the client is called where it acts for itself: no person is called so."""
        return self.access.identity

    @property
    def identity(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return the same: there is no other."""
        return self.display_name


class BearerBackend(AuthenticationBackend):
    """Authenticate requests by bearer tokens, for Starlette's `AuthenticationMiddleware`, with `on_error` beside it.

    Starlette's own `requires` knows the scope in `request.auth`; `protect` of this answers with the challenge.
    """

    def __init__(self, resource_server: ResourceServer, world: World | AsyncWorld) -> None:
        self._resource_server = resource_server
        self._authentication = resource_server.protect()
        check_world(world)
        self._world = world

    @property
    def middleware(self) -> Middleware:
        """Return Starlette's own middleware with this backend, and what answers its refusals."""
        return Middleware(AuthenticationMiddleware, backend=self, on_error=self.on_error)

    async def authenticate(  # type: ignore[explicit-override]  # typing.override is 3.12's
        self, conn: HTTPConnection
    ) -> tuple[AuthCredentials, BaseUser] | None:
        """Return who a token is for; None if there is none. Raises `AuthenticationError` for one that is no good."""
        verdict = await verify(wire_of(conn), self._authentication, self._world)
        if isinstance(verdict, Access):
            return AuthCredentials(list(verdict.scope)), BearerUser(verdict)
        if verdict.refusal is not None and not verdict.refusal.code:
            return None
        raise _Refused(verdict)

    @staticmethod
    def on_error(conn: HTTPConnection, error: Exception) -> Response:
        """Answer with the challenge."""
        assert isinstance(error, _Refused)
        return respond(error.response)

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """Let an endpoint be called with a token for all of the scope, and answer with the challenge without one.

        The token was found by the middleware; `protect` of this module needs none.
        """
        protection = self._resource_server.protect(scope, acr_values=acr_values, max_age=max_age)

        def protected(endpoint: Endpoint) -> Endpoint:
            @wraps(endpoint)
            async def call(request: Request) -> Response:
                user = request.user
                access = user.access if isinstance(user, BearerUser) else None
                verdict = protection.decide(access)
                return await endpoint(request) if isinstance(verdict, Access) else respond(verdict)

            return call

        return protected


def protect(
    resource_server: ResourceServer,
    world: World | AsyncWorld,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Let an endpoint be called with a token for all of the scope, its `Access` in `request.state.access`.

    It answers the challenge otherwise.
    """
    verify_request = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def protected(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def call(request: Request) -> Response:
            verdict = await verify_request(wire_of(request))
            if not isinstance(verdict, Access):
                return respond(verdict)
            request.state.access = verdict
            return await endpoint(request)

        return call

    return protected


class _Refused(AuthenticationError):
    def __init__(self, response: CoreResponse) -> None:
        super().__init__("the bearer token is refused")
        self.response = response
