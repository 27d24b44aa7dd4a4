"""A cluster of three servers, each with a third of the hash slots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from tests.redis.engine import DURABLE, Engine, running
from tests.redis.waiting import until

SLOTS = 16_384


@contextmanager
def cluster(binary: Path, folder: Path, size: int = 3) -> Iterator[list[Engine]]:
    """Run a cluster."""
    with ExitStack() as exits:
        engines = []
        for number in range(size):
            part = folder / str(number)
            part.mkdir()
            # One that is missing is missed after a second; none of the others takes over, having no replica of it.
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", *DURABLE)
            engines.append(exits.enter_context(running(binary, part, *options)))
        join(engines)
        yield engines


def join(engines: list[Engine]) -> None:
    """Make one cluster of servers, and come back when all of them know it."""
    clients = [engine.client() for engine in engines]
    share = -(-SLOTS // len(engines))
    for number, (engine, client) in enumerate(zip(engines, clients, strict=True)):
        client.execute_command("CLUSTER", "ADDSLOTS", *range(number * share, min(SLOTS, (number + 1) * share)))
        clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", engine.port)
    for client in clients:
        until(lambda client=client: is_whole(client, len(engines)))  # type: ignore[misc]  # bound in the loop
        client.close()


def is_whole(client: redis.Redis, size: int) -> bool:
    """Return whether a server knows the whole cluster."""
    said = bytes(client.execute_command("CLUSTER", "INFO", NEVER_DECODE=True)).decode().split()
    return "cluster_state:ok" in said and f"cluster_known_nodes:{size}" in said
