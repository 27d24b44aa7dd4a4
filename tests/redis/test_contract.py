"""Records in Redis and Valkey keep the contract of storage: over two connections, blocking and awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import attrs
import pytest
import redis.asyncio

from oauthcore.testing import Clause, StorageUnderTest, Terms, clauses
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from tests.redis.engine import NO_ASYNC_RETRY, Engine
from tests.storages.kinds import SOME_KINDS

pytestmark = pytest.mark.slow


def contents_of(engine: Engine) -> list[bytes]:
    """Return every key and every value that the server has."""
    with engine.client() as client:
        keys = client.keys("*")
        return [*keys, *(value for key in keys for value in values_of(client, key))]


def values_of(client: redis.Redis, key: bytes) -> list[bytes]:
    """Return what is under a key: the text of a record, or the members of an index."""
    command = ("ZRANGE", key, 0, -1) if client.type(key) == b"zset" else ("MGET", key)
    return list(client.execute_command(*command))


def sever(engine: Engine) -> None:
    """Cut every connection that the server has."""
    with engine.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


@contextmanager
def blocking(engine: Engine) -> Iterator[StorageUnderTest]:
    with engine.client() as one, engine.client() as two:
        one.flushall()
        yield StorageUnderTest(RedisStorage(one), RedisStorage(two), lambda: contents_of(engine), lambda: sever(engine))


@asynccontextmanager
async def awaited(engine: Engine) -> AsyncIterator[StorageUnderTest]:
    with engine.client() as client:
        client.flushall()
    one, two = (redis.asyncio.Redis(port=engine.port, protocol=2, retry=NO_ASYNC_RETRY) for _ in range(2))
    yield StorageUnderTest(
        AsyncRedisStorage(one), AsyncRedisStorage(two), lambda: contents_of(engine), lambda: sever(engine)
    )
    await one.aclose()
    await two.aclose()


@pytest.mark.parametrize("factory", [blocking, awaited])
@pytest.mark.parametrize("clause", clauses, ids=str)
def test_it_keeps(clause: Clause, factory: Callable[[Engine], Any], engine: Engine) -> None:
    terms = Terms(rounds=3, examples=3)
    # Both servers run the same scripts on the same commands: one of them has all kinds, by one of both clients.
    has_all = factory is blocking and engine.name == "valkey-server"
    clause.check(lambda: factory(engine), terms if has_all else attrs.evolve(terms, kinds=SOME_KINDS))
