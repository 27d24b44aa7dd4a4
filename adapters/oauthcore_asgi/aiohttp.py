"""aiohttp: async, though no ASGI. The endpoints as routes, and a decorator for protected ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import wraps
from typing import Any, TypeAlias

import attrs
from aiohttp import web
from multidict import CIMultiDict

from oauthcore import Access, AsyncWorld, Peer, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.wire.http import complete
from oauthcore.wire.mounting import seen_below
from oauthcore_asgi.application import Embedded
from oauthcore_asgi.framework import Framework
from oauthcore_asgi.protect import request_verifier

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACCESS: web.RequestKey[Access] = web.RequestKey("access", Access)
PIECE = 16 * 1024


def wire_of(asking: web.Request) -> CoreRequest:
    """Return an aiohttp request as the core's, without its body."""
    # Of the transport itself: that of `make_mocked_request`, by which handlers are tested, takes no default.
    tls = None if asking.transport is None else asking.transport.get_extra_info("ssl_object")
    # Python's servers ask for a certificate only to verify it: one that is of no authority ends the handshake.
    shown = None if tls is None else tls.getpeercert(binary_form=True)
    peer = Peer(asking.remote, asking.secure, shown, shown is not None)
    return CoreRequest(asking.method, asking.raw_path, asking.headers.items(), b"", peer)


def respond(response: CoreResponse) -> web.Response:
    """Return the core's response as aiohttp's."""
    return web.Response(status=response.status, body=response.body, headers=CIMultiDict(complete(response)))


def _unasked(scope: MutableMapping[str, Any], head: CoreRequest) -> web.Request:
    raise NotImplementedError("aiohttp is no ASGI server: add the routes to its application")


AIOHTTP: Framework[web.Request, web.Response] = Framework(request_of=_unasked, wire_of=wire_of, respond=respond)


class OAuth(Embedded[web.Request, web.Response]):
    """An authorization server in an aiohttp application: `app.add_routes(oauth.routes)`."""

    framework = AIOHTTP

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the endpoints, well-known ones too, wherever the application is a sub-application."""
        paths = (*self.paths, *self.metadata_paths)
        return [EndpointRoute(path, self._handler) for path in seen_below(("", self.prefix), paths)]

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Callable[[Handler], Handler]:
        """Let a handler be called with one of this server's tokens for all of the scope, its `Access` in `request`."""
        own = ResourceServer(self.server.tokens)
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age)

    async def _handler(self, asking: web.Request) -> web.StreamResponse:
        async def receive() -> dict[str, Any]:
            piece = await asking.content.read(PIECE)
            return {"type": "http.request", "body": piece, "more_body": not asking.content.at_eof()}

        return respond(await self.serve(self.whole(wire_of(asking)), receive, asking))


@attrs.frozen
class EndpointRoute(web.AbstractRouteDef):
    """Route a path to an endpoint."""

    path: str
    handler: Handler

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:  # type: ignore[explicit-override]  # 3.12's
        """Add it to an application's routes."""
        resource = EndpointResource(self.path)
        router.register_resource(resource)
        return [resource.add_route("*", self.handler)]


class EndpointResource(web.PlainResource):
    """Match the whole path of a request, also in a sub-application: the issuer's path has its prefix already."""

    def add_prefix(self, prefix: str) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Leave the path as it is."""


def protect(
    resource_server: ResourceServer,
    world: World | AsyncWorld,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Handler], Handler]:
    """Let a handler be called with a token for all of the scope, its `Access` in `request[ACCESS]`; else challenge."""
    verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def protected(handler: Handler) -> Handler:
        @wraps(handler)
        async def call(asking: web.Request) -> web.StreamResponse:
            verdict = await verify(wire_of(asking))
            if not isinstance(verdict, Access):
                return respond(verdict)
            asking[ACCESS] = verdict
            return await handler(asking)

        return call

    return protected
