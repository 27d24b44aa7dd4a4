"""Accepting connections, before anything is known about them but their address.

Not by `asyncio.start_server`: it reports a connection only after the TLS handshake, so that connections that never
finish it could not be counted, and it has no way to stop listening at once.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Iterable
from socket import socket

logger = logging.getLogger(__name__)

# At most so many before the event loop has another turn: each is a task more, and those under way are waiting.
AT_ONCE = 64
# Seconds, as asyncio has it: until then some connection may have ended.
PAUSE = 1.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """Hand each connection on, and the address that it comes from, from `start` to `close`."""

    def __init__(self, accepted: Callable[[socket, object], None]) -> None:
        self._accepted = accepted
        self._sockets: list[socket] = []
        self._pauses: set[asyncio.TimerHandle] = set()

    def start(self, sockets: Iterable[socket]) -> None:
        """Accept on sockets that listen already; they are closed here."""
        self._sockets = list(sockets)
        for listening in self._sockets:
            listening.setblocking(False)
            self._watch(listening)

    def close(self) -> None:
        """Refuse new connections, also those in the queue; closing twice is no error."""
        for pause in self._pauses:
            pause.cancel()
        loop = asyncio.get_running_loop()
        while self._sockets:
            listening = self._sockets.pop()
            loop.remove_reader(listening)
            listening.close()

    def _watch(self, listening: socket) -> None:
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket) -> None:
        for _ in range(AT_ONCE):
            try:
                connected, address = listening.accept()
            except (BlockingIOError, InterruptedError):  # another worker was first
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:  # the client is gone already (accept(2), ECONNABORTED and others)
                    continue
                logger.error("no connection can be accepted for a second: %s", error.strerror)
                self._pause(listening)
                return
            connected.setblocking(False)
            self._accepted(connected, address)

    def _pause(self, listening: socket) -> None:
        """Wait: what can't be accepted makes the socket readable over and over again."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        self._pauses = {pause for pause in self._pauses if pause.when() > loop.time()}
        self._pauses.add(loop.call_later(PAUSE, self._watch, listening))
