"""Flask: the endpoints as a blueprint, whose views see the session, and a decorator for protected ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import Blueprint, Request, Response, current_app, g, request

from oauthcore import Access, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.wire.http import complete
from oauthcore_wsgi.application import Embedded
from oauthcore_wsgi.framework import Framework
from oauthcore_wsgi.protect import request_verifier
from oauthcore_wsgi.wire import head_of

if TYPE_CHECKING:
    from werkzeug.routing import Rule

P = ParamSpec("P")
T = TypeVar("T")
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


def wire_of(asking: Request) -> CoreRequest:
    """Return a Flask request as the core's, without its body."""
    return head_of(asking.environ)


def respond(response: CoreResponse) -> Response:
    """Return the core's response as Flask's."""
    spelled = Response(response.body, response.status)
    spelled.headers.clear()
    spelled.headers.extend(complete(response))
    return spelled


FLASK: Framework[Request, Response] = Framework(request_of=lambda _, __: request, wire_of=wire_of, respond=respond)


class OAuth(Embedded[Request, Response]):
    """An authorization server in a Flask application: register its `blueprint`."""

    framework = FLASK

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
    ) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
        """Let a view be called with one of this server's tokens for all of the scope, its `Access` in `g.token`."""
        own = ResourceServer(self.server.tokens)
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age)

    def _view(self) -> Response:
        return respond(self.serve(request.environ, request))

    def _route_by_whole_path(self) -> None:
        """Route a request for an endpoint whose path the application's map does not know below a prefix.

        A rule for the rest of the path would hide the application's own. Whatever is to be done before a request is
        done before this one, too, by the time the view is called.
        """
        path = self.path_in(request.environ)
        if path is not None and not self._is_routed(request.url_rule):
            rules = filter(self._is_routed, current_app.url_map.iter_rules())
            request.url_rule = next(rule for rule in rules if rule.rule.endswith(path))
            request.view_args, request.routing_exception = {}, None

    def _is_routed(self, rule: Rule | None) -> bool:
        return rule is not None and current_app.view_functions.get(rule.endpoint) == self._view


def protect(
    resource_server: ResourceServer,
    world: World,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """Let a view be called with a token for all of the scope, its `Access` in `g.token`; else answer the challenge."""
    verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def protected(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def call(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            verdict = verify(wire_of(request))
            if not isinstance(verdict, Access):
                return respond(verdict)
            g.token = verdict
            return view(*args, **kwargs)

        return call

    return protected
