"""The provider on a port: the transport of the reference server, in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from oauthcore import Outgoing, Request, Response
from oauthcore_h11.settings import Settings
from oauthcore_h11.transport import Server
from oauthcore_mock import Provider

# All clients are on this machine, and have the same address.
SETTINGS = Settings(connections_per_address=1_000)


# What clients of a test publish, and where they are told of logouts, is on this machine.
LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")


@cache
def _fetcher() -> Callable[[Outgoing], Response]:
    """Return what asks clients, made when one is asked: most suites have none to ask."""
    from oauthcore_fetch import Fetcher

    return Fetcher(allow=LOOPBACK)


def _provider(url: str) -> Provider:
    return Provider(url, fetch=lambda request: _fetcher()(request))


@contextmanager
def served(make: Callable[[str], Provider] = _provider) -> Iterator[Provider]:
    """Serve a provider on a free port of the loopback interface until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    provider = make(f"http://127.0.0.1:{listening.getsockname()[1]}")
    preparing = provider.material.prepare()
    thread = _Serving(provider, listening)
    thread.start()
    try:
        yield provider
    finally:
        thread.stop()
        # It imports joserfc, which must not go on while pytest or the interpreter takes modules apart.
        preparing.join()


class _Serving(threading.Thread):
    """Serve from `start` to `stop`. The socket listens before that, so no client has to wait for the thread."""

    def __init__(self, provider: Provider, listening: socket.socket) -> None:
        # A daemon thread, so that it can't delay the end of an interrupted test run.
        super().__init__(name="oauthcore provider for tests", daemon=True)
        self._provider = provider
        self._listening = listening
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()

    def run(self) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Run in the thread."""
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def stop(self) -> None:
        """Stop serving, close all connections, and wait until this is done."""
        self._loop.call_soon_threadsafe(self._over.set)
        self.join()

    async def _serve(self) -> None:
        server = Server(self._answer, SETTINGS)
        await server.start([self._listening])
        await self._over.wait()
        await server.stop(grace=0)

    async def _answer(self, request: Request) -> Response:
        reply = self._provider.handle(request)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return reply.response
