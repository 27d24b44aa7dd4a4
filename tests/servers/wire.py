"""A wire between a client and a server: it counts the turns that they take, and breaks where a test wants it to."""

from __future__ import annotations

import socket
from contextlib import suppress
from enum import Enum, auto
from threading import Lock, Thread


class Break(Enum):
    """Say where the wire is to break."""

    NEVER = auto()
    BEFORE_THE_REQUEST = auto()
    BEFORE_THE_ANSWER = auto()


class Wire:
    """Pass on what is said on 127.0.0.1 at `port` to the server's port, until `close`.

    A turn is what the client says before the server answers: a round trip. `after` is how many more turns are passed on
    before the wire breaks, once `breaks` says where. While it `is_silent` nothing gets through, and nobody is told.
    Another `server_port` is for connections that are made from then on.
    """

    def __init__(self, server_port: int) -> None:
        self.turns = 0
        self.breaks = Break.NEVER
        self.after = 0
        self.is_silent = False
        self.server_port = server_port
        self._lock = Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Break every connection of the moment."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            hang_up(*pair)

    def close(self) -> None:
        """Break everything, and take nothing more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line = Line(self, client, server)
                with self._lock:
                    self._pairs.append((client, server))
                for pump in (line.ask, line.answer):
                    self._threads.append(Thread(target=pump, daemon=True))
                    self._threads[-1].start()

    def is_to_break(self, where: Break) -> bool:
        """Return whether the wire breaks here."""
        return self.breaks is where and self.after <= 0

    def take_turn(self) -> None:
        """Count a round trip."""
        with self._lock:
            self.turns += 1
            self.after -= 1


class Line:
    """Be one connection."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire = wire
        self._client = client
        self._server = server
        self._is_asking = False

    def ask(self) -> None:
        """Pass on what the client says."""
        with suppress(OSError):
            while data := self._client.recv(65_536):
                if not self._is_asking:
                    self._is_asking = True
                    if self._wire.is_to_break(Break.BEFORE_THE_REQUEST):
                        break
                    self._wire.take_turn()
                if not self._wire.is_silent:
                    self._server.sendall(data)
        hang_up(self._client, self._server)

    def answer(self) -> None:
        """Pass on what the server says."""
        with suppress(OSError):
            while data := self._server.recv(65_536):
                # What is said last is counted by then, so that the answer to it is what is lost.
                if self._wire.breaks is Break.BEFORE_THE_ANSWER and self._wire.after < 0:
                    break
                self._is_asking = False
                if not self._wire.is_silent:
                    self._client.sendall(data)
        hang_up(self._client, self._server)


def hang_up(*sockets: socket.socket) -> None:
    """End connections at once."""
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
