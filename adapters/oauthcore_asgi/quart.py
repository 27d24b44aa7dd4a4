"""Quart: the endpoints as a blueprint, whose views see the session, and a decorator for protected ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from quart import Blueprint, Request, Response, current_app, g, request

from oauthcore import Access, AsyncWorld, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.wire.http import complete
from oauthcore_asgi.application import Embedded
from oauthcore_asgi.framework import Framework
from oauthcore_asgi.protect import request_verifier
from oauthcore_asgi.wire import head_of, paths_of

if TYPE_CHECKING:
    from werkzeug.routing import Rule

P = ParamSpec("P")
T = TypeVar("T")
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


def wire_of(asking: Request) -> CoreRequest:
    """Return a Quart request as the core's, without its body."""
    return head_of(asking.scope, next(paths_of(asking.scope)))  # type: ignore[arg-type]  # a TypedDict is a mapping


def respond(response: CoreResponse) -> Response:
    """Return the core's response as Quart's."""
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
    """An authorization server in a Quart application: register its `blueprint`."""

    framework = QUART

    @cached_property
    def blueprint(self) -> Blueprint:
        """Return the endpoints, well-known ones too, wherever the application or the blueprint is mounted."""
        blueprint = Blueprint("oauthcore", __name__)
        for path in (*self.paths, *self.metadata_paths):
            # An endpoint's name in a blueprint may not have a dot, and a path may.
            name = path.replace(".", "_")
            blueprint.add_url_rule(path, name, self._view, methods=METHODS, provide_automatic_options=False)
        blueprint.before_app_request(self._route_by_whole_path)
        return blueprint

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T | Response]]]:
        """Let a view be called with one of this server's tokens for all of the scope, its `Access` in `g.token`."""
        own = ResourceServer(self.server.tokens)
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age)

    async def _view(self) -> Response:
        scope = request.scope
        head = head_of(scope, self.path_in(scope) or scope["path"])  # type: ignore[arg-type]  # a TypedDict is a mapping
        pieces = _Pieces(request)
        return respond(await self.serve(head, pieces.receive, request))

    async def _route_by_whole_path(self) -> None:
        """Route a request for an endpoint whose path the application's map does not know below a prefix.

        A rule for the rest of the path would hide the application's own. Whatever is to be done before a request is
        done before this one, too, by the time the view is called.
        """
        path = self.path_in(request.scope)  # type: ignore[arg-type]  # a TypedDict is a mapping
        if path is not None and not self._is_routed(request.url_rule):
            rules = filter(self._is_routed, current_app.url_map.iter_rules())
            request.url_rule = next(rule for rule in rules if rule.rule.endswith(path))  # type: ignore[assignment]  # Quart's
            request.view_args, request.routing_exception = {}, None

    def _is_routed(self, rule: Rule | None) -> bool:
        return rule is not None and current_app.view_functions.get(rule.endpoint) == self._view


class _Pieces:
    """Present a Quart request's body as ASGI's messages, so that it is read up to the limit and no further."""

    def __init__(self, asking: Request) -> None:
        self._body = aiter(asking.body)

    async def receive(self) -> dict[str, Any]:
        piece = await anext(self._body, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}


def protect(
    resource_server: ResourceServer,
    world: World | AsyncWorld,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T | Response]]]:
    """Let a view be called with a token for all of the scope, its `Access` in `g.token`; else answer the challenge."""
    verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def protected(view: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | Response]]:
        @wraps(view)
        async def call(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            verdict = await verify(wire_of(request))
            if not isinstance(verdict, Access):
                return respond(verdict)
            g.token = verdict
            return await view(*args, **kwargs)

        return call

    return protected


__all__ = ["METHODS", "QUART", "OAuth", "protect", "respond", "wire_of"]
