"""Bottle: the endpoints as routes, and a decorator for protected ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from bottle import Bottle, HTTPResponse, LocalRequest, request

from oauthcore import Access, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.wire.http import complete
from oauthcore_wsgi.application import Embedded
from oauthcore_wsgi.framework import Framework
from oauthcore_wsgi.protect import request_verifier
from oauthcore_wsgi.wire import head_of, status_line

P = ParamSpec("P")
T = TypeVar("T")


def wire_of(asking: LocalRequest) -> CoreRequest:
    """Return a Bottle request as the core's, without its body."""
    return head_of(asking.environ)


def respond(response: CoreResponse) -> HTTPResponse:
    """Return the core's response as Bottle's."""
    spelled = HTTPResponse(response.body, status_line(response.status))
    for name, value in complete(response):
        spelled.add_header(name, value)
    return spelled


BOTTLE: Framework[LocalRequest, HTTPResponse] = Framework(
    request_of=lambda _, __: request, wire_of=wire_of, respond=respond
)


class OAuth(Embedded[LocalRequest, HTTPResponse]):
    """An authorization server in a Bottle application: `oauth.install(app)` adds its routes."""

    framework = BOTTLE

    def install(self, app: Bottle) -> None:
        """Add the routes of all endpoints, well-known ones too, wherever the application is mounted."""
        for path in self.seen_paths:
            app.route(path, method="ANY", callback=self._view)

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Callable[[Callable[P, T]], Callable[P, T | HTTPResponse]]:
        """Let a route be called with a token of this server's for all of the scope, its `Access` in `request.token`."""
        own = ResourceServer(self.server.tokens)
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age)

    def _view(self) -> HTTPResponse:
        return respond(self.serve(request.environ, request))


def protect(
    resource_server: ResourceServer,
    world: World,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Callable[P, T]], Callable[P, T | HTTPResponse]]:
    """Let a route be called with a token for all of the scope, its `Access` in `request.token`; else challenge."""
    verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def protected(view: Callable[P, T]) -> Callable[P, T | HTTPResponse]:
        @wraps(view)
        def call(*args: P.args, **kwargs: P.kwargs) -> T | HTTPResponse:
            verdict = verify(wire_of(request))
            if not isinstance(verdict, Access):
                return respond(verdict)
            request.token = verdict
            return view(*args, **kwargs)

        return call

    return protected
