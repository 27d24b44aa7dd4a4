"""Litestar: a plugin that adds the endpoints, and guards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from litestar import Controller, Request, Response, Router
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import asgi
from litestar.handlers.base import BaseRouteHandler
from litestar.plugins import InitPlugin
from litestar.types import Guard, Receive, Scope, Send
from litestar.utils.path import join_paths, normalize_path

from oauthcore import Access, AsyncWorld, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.wire.http import complete
from oauthcore.wire.text import ascii_lower
from oauthcore_asgi.application import Embedded
from oauthcore_asgi.framework import Framework
from oauthcore_asgi.protect import request_verifier
from oauthcore_asgi.wire import head_of

if TYPE_CHECKING:
    from litestar.config.app import AppConfig


Connection = ASGIConnection[Any, Any, Any, Any]


def wire_of(connection: Connection) -> CoreRequest:
    """Return a Litestar request as the core's, without its body."""
    return head_of(connection.scope, connection.scope["path"])  # type: ignore[arg-type]  # a TypedDict is a mapping


def respond(response: CoreResponse) -> Response[bytes]:
    """Return the core's response as Litestar's: for redirects, which set one cookie at most."""
    headers = {name: value for name, value in complete(response) if name not in {"Content-Length", "Content-Type"}}
    # To a text's type Litestar adds the character set, which is UTF-8 in all of ours.
    media_type = (response.header("content-type") or "text/plain").partition(";")[0]
    return Response(response.body, status_code=response.status, headers=headers, media_type=media_type)


LITESTAR: Framework[Connection, Response[bytes]] = Framework(
    request_of=lambda scope, _: Request(scope),  # type: ignore[arg-type]  # a scope is a scope
    wire_of=wire_of,
    respond=respond,
)


class OAuth(Embedded[Connection, Response[bytes]], InitPlugin):
    """An authorization server in a Litestar application, as a plugin: it adds its endpoints, well-known ones too."""

    framework = LITESTAR

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Guard:
        """Make a guard for this server's tokens: their `Access` is in `request.state.access`."""
        own = ResourceServer(self.server.tokens)
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:  # type: ignore[explicit-override]  # 3.12's
        """Add the endpoints, wherever the application is mounted; a path that it has a handler for stays its own."""
        # A place without metadata may have another's.
        whole = (*self.paths, *self.server.metadata_paths)
        own = set(paths_of_handlers(app_config.route_handlers)) - set(whole)

        @asgi([path for path in self.seen_paths if path not in own], copy_scope=True)
        async def endpoints(scope: Scope, receive: Receive, send: Send) -> None:
            await self(scope, receive, send)  # type: ignore[arg-type]  # a TypedDict is a mapping

        app_config.route_handlers.append(endpoints)
        _ = app_config.exception_handlers.setdefault(Refused, answer_refused)
        return app_config


class Refused(HTTPException):
    """Refuse a request with the challenge (RFC 6750 section 3); its `response` is that of every other host.

    Litestar answers with the status, the headers and a body of its own; `answer_refused` with the whole response.
    """

    def __init__(self, response: CoreResponse) -> None:
        names = ("www-authenticate", "retry-after", "cache-control")
        super().__init__(
            status_code=response.status,
            detail=(response.refusal.code if response.refusal else "") or "a bearer token is needed",
            headers={name: value for name, value in response.headers if ascii_lower(name) in names},
        )
        self.response = response


def answer_refused(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer as every other host does; the plugin adds it: `exception_handlers={Refused: answer_refused}`."""
    assert isinstance(error, Refused)
    return respond(error.response)


def paths_of_handlers(handlers: Iterable[Any]) -> Iterator[str]:
    """Yield the paths that handlers, routers and controllers take: Litestar refuses two handlers of one path."""
    for handler in handlers:
        if isinstance(handler, Router):
            yield from (route.path for route in handler.routes)
        elif isinstance(handler, BaseRouteHandler):
            yield from (normalize_path(path) for path in handler.paths)
        elif isinstance(handler, type) and issubclass(handler, Controller):
            members = (member for member in vars(handler).values() if isinstance(member, BaseRouteHandler))
            yield from (
                join_paths([str(vars(handler).get("path", "")), path]) for member in members for path in member.paths
            )


def protect(
    resource_server: ResourceServer,
    world: World | AsyncWorld,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Guard:
    """Make a guard: it leaves the `Access` of a request's token in `request.state.access`, or answers the challenge."""
    verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        verdict = await verify(wire_of(connection))
        if isinstance(verdict, Access):
            connection.state.access = verdict
            return
        raise Refused(verdict)

    return guard
