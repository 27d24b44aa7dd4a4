"""Serving over a real socket from within a test: a server on a thread of its own, ready when the block begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread

from oauthcore_h11 import Server
from oauthcore_h11.demo import Demo, make_demo
from oauthcore_h11.loopback import listen, port_of

PATIENCE = 30.0


@contextmanager
def serving(*, legacy: bool = False) -> Iterator[Demo]:
    """Serve a demo on a free port of localhost."""
    sockets = listen("localhost", 0)
    demo = make_demo("localhost", port_of(sockets[0]), legacy=legacy)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        end, server = asyncio.Event(), Server(demo)
        await server.start(sockets)
        started.set_result((asyncio.get_running_loop(), end))
        await end.wait()
        await server.stop()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, end = started.result(PATIENCE)
    try:
        yield demo
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(PATIENCE)
        assert not thread.is_alive()
