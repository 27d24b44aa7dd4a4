"""Serving from memory, for `demo` and `mock`, until a signal."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from socket import socket

from oauthcore_h11.transport import Server


async def serve_until_signal(
    server: Server,
    sockets: Iterable[socket],
    greeting: str,
    *,
    tls: ssl.SSLContext | None = None,
    grace: float = 5.0,
    once_listening: Callable[[], object] | None = None,
) -> None:
    """Print the greeting once the server listens; after SIGINT or SIGTERM, finish requests for `grace` seconds."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows Ctrl-C arrives as KeyboardInterrupt instead
            loop.add_signal_handler(number, end.set)
    await server.start(sockets, tls)
    # Flushed, since the parent process may wait on a pipe for this line.
    sys.stdout.write(greeting)
    sys.stdout.flush()
    if once_listening is not None:
        _ = once_listening()
    await end.wait()
    await server.stop(grace)
