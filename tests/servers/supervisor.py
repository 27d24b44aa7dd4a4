"""The process that starts each server of the tests once, for all workers, and ends them all when pytest ends.

pytest holds its standard input, which so ends with pytest, whether that has come to its end, was interrupted or was
killed. A worker that ends takes no server with it but those of its own.

The process prints its port. Whoever connects there sends the name of a server on a line. A server of all is started
unless it runs already; one of the test's own is started for this connection, over which "kill" and "start" may follow,
and ends with it. The answer is what the server is found by, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from typing import Any, Protocol, TypeAlias

import attrs
from typing_extensions import override

from tests.processes import PATIENCE, end, line_of, start
from tests.servers.mariadb import MariaDbProcess
from tests.servers.mysql import MySqlProcess
from tests.servers.pgbouncer import PgBouncerProcess
from tests.servers.postgresql import Cluster, PostgreSqlProcess
from tests.servers.program import Folder

ROOT = Path(__file__).parents[2]
# For how long somebody waits for a server: its data are made and it is started, perhaps after another one.
LONGEST = 4 * PATIENCE
OWN = "own"


class Started(Protocol):
    """Be what was started; `server` is an attrs class, what workers find it by."""

    @property
    def server(self) -> Any:
        """Return what it is found by."""

    def stop(self) -> None:
        """End it."""


@attrs.frozen
class Prepared:
    """Be files that others start servers from; they go with the folder that they are in."""

    server: Cluster

    def stop(self) -> None:
        """End nothing: nothing runs."""


class Servers:
    """Start each server once, whoever asks for it, and those of tests' own; stop them all."""

    def __init__(self, starts: Starts) -> None:
        self._threads = ThreadPoolExecutor()
        self._lock = Lock()
        self._started: dict[str, Future[Started]] = {}
        self._own: list[Started] = []
        self._starts = starts

    def server(self, name: str) -> Any:
        """Return what a server of all is found by, once it has started; raises what prevented it, each time."""
        with self._lock:
            if name not in self._started:
                self._started[name] = self._threads.submit(self._starts[name], self)
            started = self._started[name]
        return started.result(LONGEST).server

    def own(self, name: str) -> Started:
        """Start a server that nobody else is told of."""
        return self._threads.submit(self._start_own, name).result(LONGEST)

    def _start_own(self, name: str) -> Started:
        server = self._starts[name](self)
        self._own.append(server)
        return server

    def stop_own(self, server: Started) -> None:
        """Stop a server of a test's own."""
        server.stop()
        self._own.remove(server)

    def stop(self) -> None:
        """Stop what was started, and what is about to be."""
        self._threads.shutdown()
        for server in list(self._own):
            server.stop()
        for started in self._started.values():
            if started.exception(LONGEST) is None:
                started.result(LONGEST).stop()


Starts: TypeAlias = Mapping[str, Callable[[Servers], Started]]
"""What starts each server, by its name; it is handed those that it may need. The names of tests' own begin with OWN."""
STARTS: Starts = {
    "cluster": lambda servers: Prepared(Cluster.made(Folder("cluster"))),
    "postgresql": lambda servers: PostgreSqlProcess(servers.server("cluster")),
    f"{OWN} postgresql": lambda servers: PostgreSqlProcess(servers.server("cluster"), durable=True),
    "pgbouncer": lambda servers: PgBouncerProcess(servers.server("postgresql")),
    "mariadb": lambda servers: MariaDbProcess(),
    "mysql": lambda servers: MySqlProcess(),
}


class Listener(ThreadingTCPServer):
    """Listen on a port of the moment."""

    daemon_threads = True

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        super().__init__(("127.0.0.1", 0), Conversation)


class Conversation(StreamRequestHandler):
    """Answer one connection."""

    server: Listener

    @override
    def handle(self) -> None:
        """Answer each line until the connection ends, and with it the servers that were started for it alone."""
        own: list[Started] = []
        with suppress(ConnectionError):
            for line in self.rfile:
                word = line.decode().strip()
                try:
                    answer = self.answer(word, own)
                except Exception as failure:
                    answer = {"failure": f"{word}: {failure!r}"}
                self.wfile.write(json.dumps(answer, default=str).encode() + b"\n")
        for server in own:
            self.server.servers.stop_own(server)

    def answer(self, word: str, own: list[Started]) -> dict[str, Any]:
        """Kill the connection's own server or start it again, or tell what the server of that name is found by."""
        servers = self.server.servers
        if word in ("kill", "start"):
            getattr(own[0], word)()
            return {}
        if word.startswith(OWN):
            own.append(servers.own(word))
            return attrs.asdict(own[-1].server)
        return attrs.asdict(servers.server(word))


def main(starts: Starts = STARTS) -> None:
    """Start servers until the standard input ends, or SIGTERM comes; then end them, and remove what they wrote."""
    folder = Folder("servers")
    os.chmod(folder.path, 0o755)  # other users run the servers, and each has a folder of its own in it
    tempfile.tempdir = str(folder.path)
    servers = Servers(starts)
    try:
        with Listener(servers) as listener:
            signal.signal(signal.SIGTERM, terminated)
            Thread(target=listener.serve_forever, daemon=True).start()
            print(listener.server_address[1], flush=True)
            try:
                sys.stdin.read()
            finally:  # also after SIGTERM: a thread that goes on listening at a closed socket never waits
                listener.shutdown()
    finally:
        servers.stop()
        folder.remove()


def terminated(*_: object) -> None:
    """Leave `main`, by way of its end, which no second signal interrupts."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()


class Supervisor:
    """Start the process, whose `main` is in a module, and end it; `port` is what workers ask it by."""

    def __init__(self, module: str = __name__) -> None:
        command = [sys.executable, "-m", module]
        # In a session of its own it is not interrupted from the keyboard, and neither are the servers.
        self._process = start(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.port = int(line_of(self._process))

    def close(self) -> None:
        """End it, and with it all servers."""
        end(self._process, patience=LONGEST)


class Line:
    """Be a connection to the supervisor: one line is sent, and one read."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), LONGEST)
        self._lines = self._connection.makefile("rw")

    def say(self, word: str) -> dict[str, Any]:
        """Return what is answered; raises `RuntimeError` with what went wrong."""
        self._lines.write(f"{word}\n")
        self._lines.flush()
        answer: dict[str, Any] = json.loads(self._lines.readline() or '{"failure": "the supervisor has ended"}')
        if "failure" in answer:
            raise RuntimeError(answer["failure"])
        return answer

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._connection.close()


def ask(port: int, name: str) -> dict[str, Any]:
    """Return what a server of all is found by; raises `RuntimeError` where it could not be started."""
    with closing(Line(port)) as line:
        return line.say(name)


if __name__ == "__main__":
    main()
