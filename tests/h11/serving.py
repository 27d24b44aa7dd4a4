"""Serving over a real socket from within a test: a server on a thread of its own, ready when the block begins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from socket import socket
from threading import Thread

from oauthcore import Request, Response
from oauthcore_h11 import Server
from oauthcore_h11.demo import Demo, make_demo
from oauthcore_h11.loopback import listen, port_of
from tests.processes import PATIENCE


@contextmanager
def serving_on(sockets: Sequence[socket], answer: Callable[[Request], Awaitable[Response]]) -> Iterator[None]:
    """Serve what answers requests on sockets that listen."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        end, server = asyncio.Event(), Server(answer)
        await server.start(sockets)
        started.set_result((asyncio.get_running_loop(), end))
        await end.wait()
        await server.stop()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, end = started.result(PATIENCE)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def serving(*, legacy: bool = False) -> Iterator[Demo]:
    """Serve a demo on a free port of localhost."""
    sockets = listen("localhost", 0)
    demo = make_demo("localhost", port_of(sockets[0]), legacy=legacy)
    with serving_on(sockets, demo):
        yield demo
