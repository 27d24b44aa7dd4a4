"""An address that leads to another server after a failover, and a pool that is full of connections to the old one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio
from redis.exceptions import ResponseError

from oauthcore.flow.outcome import Insert, Replace
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from tests.redis.engine import NO_ASYNC_RETRY, NO_RETRY, VOLATILE, Engine, binaries, running
from tests.redis.things import Thing
from tests.servers.wire import Wire

A, B = Thing("a"), Thing("b")


@pytest.fixture
def wire(engine: Engine) -> Iterator[Wire]:
    """Return an address, which leads to a primary."""
    laid = Wire(engine.port)
    yield laid
    laid.close()


@pytest.fixture
def successor(folder: Path) -> Iterator[Engine]:
    """Return the server that is the primary afterwards."""
    with running(binaries()["valkey"], folder, *VOLATILE) as engine:
        yield engine


@pytest.fixture
def demoted(client: redis.Redis) -> Iterator[redis.Redis]:
    """Return what makes a replica of the first primary."""
    yield client
    client.execute_command("REPLICAOF", "NO", "ONE")


def test_a_commit_that_a_replica_refused_is_made_by_the_primary(
    demoted: redis.Redis, wire: Wire, successor: Engine
) -> None:
    with redis.Redis(port=wire.port, protocol=2, retry=NO_RETRY) as client, successor.client() as other:
        storage = RedisStorage(client)
        assert storage.commit((Insert(A),)) is True
        demoted.execute_command("REPLICAOF", "127.0.0.1", "1")
        wire.server_port = successor.port

        assert storage.commit((Insert(B),)) is True

        assert RedisStorage(other).find(Thing, "b") == B


@pytest.mark.anyio
async def test_so_it_is_where_it_is_awaited(demoted: redis.Redis, wire: Wire, successor: Engine) -> None:
    storage = AsyncRedisStorage(redis.asyncio.Redis(port=wire.port, protocol=2, retry=NO_ASYNC_RETRY))
    assert await storage.commit((Insert(A),)) is True
    demoted.execute_command("REPLICAOF", "127.0.0.1", "1")
    wire.server_port = successor.port

    assert await storage.commit((Insert(B),)) is True
    assert await storage.find(Thing, "b") == B
    await storage.aclose()


def test_a_commit_that_every_server_refuses_is_an_error_the_second_time(demoted: redis.Redis, wire: Wire) -> None:
    with redis.Redis(port=wire.port, protocol=2, retry=NO_RETRY) as client:
        storage = RedisStorage(client)
        assert storage.commit((Insert(A),)) is True
        demoted.execute_command("REPLICAOF", "127.0.0.1", "1")

        with pytest.raises(ResponseError, match="replica"):
            storage.commit((Replace(A, Thing("a", 1)),))
