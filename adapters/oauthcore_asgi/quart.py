"""Quart: the endpoints as a blueprint, whose views see the session, and a decorator for protected ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar

from quart import Blueprint, Request, Response, g, request

from oauthcore import Access, AsyncWorld, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.http import complete
from oauthcore_asgi.application import Embedded, Framework
from oauthcore_asgi.protect import verify
from oauthcore_asgi.wire import head_of, paths_of

P = ParamSpec("P")
T = TypeVar("T")
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


def wire_of(asking: Request) -> CoreRequest:
    """Give a Quart request as the core's, without its body."""
    return head_of(asking.scope, next(paths_of(asking.scope)))  # type: ignore[arg-type]  # a TypedDict is a mapping


def respond(response: CoreResponse) -> Response:
    """Give the core's response as Quart's."""
    spelled = Response(response.body, response.status)
    spelled.headers.clear()
    for name, value in complete(response):
        spelled.headers.add(name, value)
    return spelled


QUART: Framework[Request, Response] = Framework(
    request_of=lambda _, __: request,
    wire_of=wire_of,
    respond=respond,
)


class OAuth(Embedded[Request, Response]):
    """Be an authorization server in a Quart application: register its `blueprint`, without a prefix of its own."""

    framework = QUART

    @cached_property
    def blueprint(self) -> Blueprint:
        """Give the endpoints, well-known ones too."""
        blueprint = Blueprint("oauthcore", __name__)
        for path in (*self.paths, *self.metadata_paths):
            # An endpoint's name in a blueprint may not have a dot, and a path may.
            name = path.replace(".", "_")
            blueprint.add_url_rule(path, name, self._view, methods=METHODS, provide_automatic_options=False)
        return blueprint

    def require(
        self, scope: str | Iterable[str] = ()
    ) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T | Response]]]:
        """Let a view be called with one of this server's tokens for all of the scope, its `Access` in `g.token`."""
        return require(ResourceServer(self.server.tokens), self.world, scope)

    async def _view(self) -> Response:
        head = wire_of(request)
        pieces = _Pieces(request)
        return respond(await self.serve(head, pieces.receive, request))


class _Pieces:
    """Give a Quart request's body as ASGI's messages, so that it is read up to the limit and no further."""

    def __init__(self, asking: Request) -> None:
        self._body = aiter(asking.body)

    async def receive(self) -> dict[str, Any]:
        piece = await anext(self._body, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}


def require(
    resource_server: ResourceServer, world: World | AsyncWorld, scope: str | Iterable[str] = ()
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T | Response]]]:
    """Let a view be called with a token for all of the scope, its `Access` in `g.token`; else answer the challenge."""

    def protected(view: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | Response]]:
        @wraps(view)
        async def call(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            verdict = await verify(wire_of(request), resource_server, world, scope)
            if not isinstance(verdict, Access):
                return respond(verdict)
            g.token = verdict
            return await view(*args, **kwargs)

        return call

    return protected


__all__ = ["METHODS", "QUART", "OAuth", "require", "respond", "wire_of"]
