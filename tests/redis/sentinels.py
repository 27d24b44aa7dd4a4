"""A primary, two replicas and a sentinel that watches over them, each a real server."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import attrs
import redis
from redis.exceptions import RedisError

from tests.redis.engine import DURABLE, NO_RETRY, Engine, free_port, running
from tests.redis.waiting import until
from tests.servers.program import Program

SERVICE = "tokens"
CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir {folder}
sentinel monitor {service} 127.0.0.1 {primary} 1
sentinel down-after-milliseconds {service} 500
sentinel failover-timeout {service} 5000
"""


@attrs.frozen
class Watched:
    """Be servers that are watched over; the first is the primary, until it is killed."""

    engines: Sequence[Engine]
    port: int
    """The sentinel's."""

    @property
    def url(self) -> str:
        """Return the URL, in which a sentinel that is away comes first."""
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.port}/{SERVICE}?replicas=1"


@contextmanager
def watched(binary: Path, folder: Path) -> Iterator[Watched]:
    """Run them, and come back when the sentinel knows all of them."""
    with ExitStack() as stack:
        folders = [folder / name for name in ("primary", "one", "two", "sentinel")]
        for one in folders:
            one.mkdir()
        primary = stack.enter_context(running(binary, folders[0], *DURABLE, "--repl-diskless-sync-delay", "0"))
        following = (*DURABLE, "--replicaof", "127.0.0.1", str(primary.port))
        engines = [primary, *(stack.enter_context(running(binary, one, *following)) for one in folders[1:3])]
        with primary.client() as client:
            until(lambda: is_followed(client))
        port = stack.enter_context(sentinel(binary, folders[3], primary.port))
        yield Watched(engines, port)


@contextmanager
def sentinel(binary: Path, folder: Path, primary: int) -> Iterator[int]:
    """Run a sentinel; give its port once it knows of two replicas."""
    port, file = free_port(), folder / "sentinel.conf"
    file.write_text(CONFIGURATION.format(port=port, folder=folder, primary=primary, service=SERVICE))
    program = Program([str(binary), str(file), "--sentinel"], "+monitor", folder)
    program.start()
    try:
        until(lambda: knows_all(port))
        yield port
    finally:
        program.stop(signal.SIGTERM)


def is_followed(client: redis.Redis) -> bool:
    """Return whether a primary has two replicas that have all of it."""
    info = client.info("replication")
    return [info.get(f"slave{number}", {}).get("state") for number in range(2)] == ["online"] * 2


def knows_all(port: int) -> bool:
    """Return whether the sentinel knows a primary that is well, and two replicas of it."""
    with redis.Redis(port=port, protocol=2, retry=NO_RETRY) as client, suppress(RedisError):
        replicas = client.sentinel_slaves(SERVICE)
        return len(replicas) == 2 and all(one["flags"] == "slave" for one in replicas)
    return False
