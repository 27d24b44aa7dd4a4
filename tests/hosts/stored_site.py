"""What `test_stored` serves: one server of `site`, over the storage that the environment names by its URL."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import attrs

from oauthcore import AsyncWorld
from oauthcore.flow.storage import AsyncStorage, Storage
from oauthcore_asgi import Bearer as ASGIBearer
from oauthcore_asgi import OAuth as ASGIOAuth
from oauthcore_asgi.wire import Receive, Scope, Send
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from oauthcore_wsgi import Bearer as WSGIBearer
from oauthcore_wsgi import OAuth as WSGIOAuth
from tests.hosts.site import make, me_asgi, me_wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

AWAITED, BLOCKING = os.environ["OAUTHCORE_AWAITED"], os.environ["OAUTHCORE_BLOCKING"]


def blocking(url: str) -> Storage:
    """Open a storage that blocks."""
    scheme, _, rest = url.partition(":")
    if scheme == "redis":
        return RedisStorage.from_url(url)
    if scheme == "file":
        return SqliteStorage(rest)
    return SqlAlchemyStorage(engine_of(url))


def awaited(url: str) -> AsyncStorage:
    """Open a storage that is awaited."""
    scheme, _, rest = url.partition(":")
    if scheme == "redis":
        return AsyncRedisStorage.from_url(url)
    if scheme == "file":
        return AsyncSqliteStorage(SqliteStorage(rest))
    return AsyncSqlAlchemyStorage(async_engine_of(url))


# The clients are registered here, in the process that serves, and once: a second one would find them there.
_SITE = make("http://localhost:8000", storage=blocking(BLOCKING))


def asgi() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Make the application that awaits its storage."""
    world = AsyncWorld(**attrs.asdict(_SITE.world, recurse=False) | {"storage": awaited(AWAITED)})
    oauth = ASGIOAuth(_SITE.server, world, pages=_SITE.pages)
    bearer = ASGIBearer(me_asgi, _SITE.resource_server, world, "profile")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await oauth(scope, receive, send)
        if scope["path"] == "/me":
            return await bearer(scope, receive, send)
        if scope["path"].startswith("/.well-known/"):
            return await oauth.well_known(scope, receive, send)
        return await oauth(scope, receive, send)

    return application


def wsgi() -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Make the application that blocks."""
    oauth = WSGIOAuth(_SITE.server, _SITE.world, pages=_SITE.pages)
    bearer = WSGIBearer(me_wsgi, _SITE.resource_server, _SITE.world, "profile")

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/me":
            return bearer(environ, start_response)
        if environ["PATH_INFO"].startswith("/.well-known/"):
            return oauth.well_known(environ, start_response)
        return oauth(environ, start_response)

    return application
