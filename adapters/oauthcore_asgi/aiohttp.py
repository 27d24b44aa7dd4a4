"""aiohttp: async, though no ASGI. The endpoints as routes, and a decorator for protected ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import wraps
from typing import Any, TypeAlias

from aiohttp import web
from multidict import CIMultiDict

from oauthcore import Access, AsyncWorld, Peer, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.http import complete
from oauthcore_asgi.application import Embedded, Framework
from oauthcore_asgi.protect import verify

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACCESS: web.RequestKey[Access] = web.RequestKey("access", Access)
PIECE = 16 * 1024


def wire_of(asking: web.Request) -> CoreRequest:
    """Give an aiohttp request as the core's, without its body."""
    return CoreRequest(asking.method, asking.raw_path, asking.headers.items(), b"", Peer(asking.remote, asking.secure))


def respond(response: CoreResponse) -> web.Response:
    """Give the core's response as aiohttp's."""
    return web.Response(status=response.status, body=response.body, headers=CIMultiDict(complete(response)))


def _unasked(scope: MutableMapping[str, Any], head: CoreRequest) -> web.Request:
    raise NotImplementedError("aiohttp is no ASGI server: add the routes to its application")


AIOHTTP: Framework[web.Request, web.Response] = Framework(request_of=_unasked, wire_of=wire_of, respond=respond)


class OAuth(Embedded[web.Request, web.Response]):
    """Be an authorization server in an aiohttp application: `app.add_routes(oauth.routes)`."""

    framework = AIOHTTP

    @property
    def routes(self) -> list[web.RouteDef]:
        """Give the endpoints, well-known ones too."""
        return [web.route("*", path, self._handler) for path in (*self.paths, *self.metadata_paths)]

    def require(self, scope: str | Iterable[str] = ()) -> Callable[[Handler], Handler]:
        """Let a handler be called with one of this server's tokens for all of the scope, its `Access` in `request`."""
        return require(ResourceServer(self.server.tokens), self.world, scope)

    async def _handler(self, asking: web.Request) -> web.Response:
        async def receive() -> dict[str, Any]:
            piece = await asking.content.read(PIECE)
            return {"type": "http.request", "body": piece, "more_body": not asking.content.at_eof()}

        return respond(await self.serve(wire_of(asking), receive, asking))


def require(
    resource_server: ResourceServer, world: World | AsyncWorld, scope: str | Iterable[str] = ()
) -> Callable[[Handler], Handler]:
    """Let a handler be called with a token for all of the scope, its `Access` in `request[ACCESS]`; else challenge."""

    def protected(handler: Handler) -> Handler:
        @wraps(handler)
        async def call(asking: web.Request) -> web.StreamResponse:
            verdict = await verify(wire_of(asking), resource_server, world, scope)
            if not isinstance(verdict, Access):
                return respond(verdict)
            asking[ACCESS] = verdict
            return await handler(asking)

        return call

    return protected
