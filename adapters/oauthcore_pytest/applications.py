"""The provider as an ASGI and a WSGI application, for clients that call one in the same process without a socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from oauthcore import Request, Response
from oauthcore.wire.http import Outgoing
from oauthcore_asgi.wire import (
    ASGIApplication,
    Receive,
    Scope,
    Send,
    body_of,
    head_of,
    paths_of,
    send_response,
    stated_length,
)
from oauthcore_mock import Provider
from oauthcore_wsgi import wire as wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Applications:
    """The provider in several forms: `asgi` for `httpx.ASGITransport` and Starlette's test client, `wsgi` for
    `httpx.WSGITransport` and Werkzeug's, and `fetch` for the `fetch=` of a `World`.

    The host name of requests makes no difference.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @cached_property
    def asgi(self) -> ASGIApplication:
        """Return the ASGI application."""
        return self._asgi

    @cached_property
    def wsgi(self) -> WSGIApplication:
        """Return the WSGI application."""
        return self._wsgi

    def fetch(self, request: Outgoing) -> Response:
        """Answer requests that an application sends to other servers: `World(storage, fetch=oauth_app.fetch)`."""
        path = request.url.partition("://")[2].partition("/")[2]
        return self._provider.handle(Request(request.method, f"/{path}", request.headers, request.body)).response

    async def _asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        body = await body_of(stated_length(scope), receive)
        if isinstance(body, Response):
            return await send_response(body, scope, send)
        request = attrs.evolve(head_of(scope, next(paths_of(scope))), body=body)
        reply = self._provider.handle(request)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return await send_response(reply.response, scope, send)

    def _wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = wsgi.body_of(environ)
        if isinstance(body, Response):
            return wsgi.Answer(body)(environ, start_response)
        reply = self._provider.handle(attrs.evolve(wsgi.head_of(environ), body=body))
        if reply.delay:
            time.sleep(reply.delay)
        return wsgi.Answer(reply.response)(environ, start_response)


async def _live(receive: Receive, send: Send) -> None:
    """Answer ASGI's lifespan events, which need no action here."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
