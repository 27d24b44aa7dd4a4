"""Records in a cluster: an installation is in one hash slot, several spread, and each is found where it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import redis.asyncio.cluster
import redis.cluster
from redis.crc import key_slot
from redis.exceptions import RedisError

from oauthcore.flow.outcome import Insert, Replace
from oauthcore.records.grant import Grant
from oauthcore.testing import Clause, StorageUnderTest, Terms, clauses
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from tests.redis.cluster import cluster
from tests.redis.engine import Engine, binaries
from tests.redis.things import Thing, grant_of
from tests.redis.waiting import until
from tests.storages.kinds import SOME_KINDS

pytestmark = pytest.mark.slow

A, A1 = Thing("a"), Thing("a", 1)
# The scripts are those that one server keeps all clauses with; here it is about where they run.
NAMES = (
    "failed_commit_does_nothing",
    "find_of_follows_every_change",
    "keys_are_exact",
    "purge_takes_what_has_expired_and_nothing_else",
    "purge_keeps_to_its_limit",
    "replaced_by_one_of_many",
    "commits_are_seen_whole",
    "handles_see_each_other",
)
TERMS = Terms(kinds=SOME_KINDS, rounds=2, examples=5)
CLAUSES = [clause for clause in clauses if str(clause) in NAMES]
assert len(CLAUSES) == len(NAMES)


@pytest.fixture(scope="module", params=sorted(binaries()))
def engines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """Return a cluster of three."""
    with cluster(binaries()[request.param], tmp_path_factory.mktemp("cluster")) as engines:
        yield engines


@pytest.fixture
def client(engines: list[Engine]) -> Iterator[redis.cluster.RedisCluster]:
    """Return a client of the cluster, which is emptied."""
    for engine in engines:
        with engine.client() as one:
            one.flushall()
    with redis.cluster.RedisCluster(host="127.0.0.1", port=engines[0].port) as client:
        yield client


def async_client(engines: list[Engine]) -> redis.asyncio.cluster.RedisCluster:
    return redis.asyncio.cluster.RedisCluster(host="127.0.0.1", port=engines[0].port)


def owner_of(prefix: str, engines: list[Engine]) -> int:
    """Return the number of the server that has an installation, in the beginning."""
    return key_slot(prefix.encode()) // -(-16_384 // len(engines))


def prefixes(engines: list[Engine]) -> list[str]:
    """Return a prefix for each server."""
    found: dict[int, str] = {}
    for number in range(100):
        found.setdefault(owner_of(f"as-{number}", engines), f"as-{number}")
    return [found[number] for number in range(len(engines))]


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_it_keeps(clause: Clause, engines: list[Engine], client: redis.cluster.RedisCluster) -> None:
    @contextmanager
    def blocking() -> Iterator[StorageUnderTest]:
        client.flushall()
        yield StorageUnderTest(RedisStorage(client), RedisStorage(client))

    clause.check(blocking, TERMS)


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_awaited_it_keeps(clause: Clause, engines: list[Engine], client: redis.cluster.RedisCluster) -> None:
    @asynccontextmanager
    async def awaited() -> AsyncIterator[Any]:
        client.flushall()
        one, two = async_client(engines), async_client(engines)
        yield StorageUnderTest(AsyncRedisStorage(one), AsyncRedisStorage(two))
        await one.aclose()
        await two.aclose()

    clause.check(awaited, TERMS)


def test_installations_spread_over_the_servers_and_each_is_on_one(
    engines: list[Engine], client: redis.cluster.RedisCluster
) -> None:
    for prefix in prefixes(engines):
        storage = RedisStorage(client, prefix=prefix)
        assert storage.commit([*(Insert(Thing(str(n))) for n in range(20)), Insert(grant_of("alice", "g"))]) is True
        assert len(list(storage.every(Thing))) == 20
        assert storage.find_of(Grant, "alice") == [grant_of("alice", "g")]

    for engine in engines:
        with engine.client() as one:
            assert one.dbsize() == 22


@pytest.mark.anyio
async def test_an_async_storage_is_made_of_a_url(engines: list[Engine], client: redis.cluster.RedisCluster) -> None:
    hosts = ",".join(f"127.0.0.1:{engine.port}" for engine in engines)
    storage = AsyncRedisStorage.from_url(f"redis+cluster://{hosts}?prefix=by-url")

    assert await storage.commit((Insert(A),)) is True
    assert await storage.every(Thing) == [A]
    assert await storage.purge(0, 10) == 0

    assert RedisStorage(client, prefix="by-url").find(Thing, "a") == A
    await storage.aclose()


def test_the_server_that_has_the_slot_is_looked_at(engines: list[Engine], client: redis.cluster.RedisCluster) -> None:
    with engines[1].client() as one:
        one.config_set("appendfsync", "everysec")
        found = [RedisStorage(client, prefix=prefix).durability_warnings() for prefix in prefixes(engines)]
        one.config_set("appendfsync", "always")

    assert [[warning.setting for warning in concerns] for concerns in found] == [[], ["appendfsync"], []]


def test_a_slot_that_moves_is_followed_and_a_commit_is_made_once(
    engines: list[Engine], client: redis.cluster.RedisCluster
) -> None:
    prefix = prefixes(engines)[0]
    slot = key_slot(prefix.encode())
    storage = RedisStorage(client, prefix=prefix)
    assert storage.find(Thing, "a") is None
    with engines[0].client() as source, engines[1].client() as target:
        name = target.execute_command("CLUSTER", "MYID").decode()
        for one in (target, source):
            one.execute_command("CLUSTER", "SETSLOT", slot, "NODE", name)

        assert storage.commit((Insert(A), Insert(grant_of("alice", "g")))) is True
        assert storage.commit((Replace(A, A1),)) is True

        assert (source.dbsize(), target.dbsize()) == (0, 3)
        assert storage.find(Thing, "a") == A1
        target.flushall()
        name = source.execute_command("CLUSTER", "MYID").decode()
        for one in (source, target):
            one.execute_command("CLUSTER", "SETSLOT", slot, "NODE", name)


def test_a_slot_that_is_moving_is_asked_for_where_it_is(
    engines: list[Engine], client: redis.cluster.RedisCluster
) -> None:
    """While a slot moves, keys that are not there any more are to be asked for at the other end (ASK)."""
    prefix = prefixes(engines)[0]
    slot = key_slot(prefix.encode())
    storage = RedisStorage(client, prefix=prefix)
    with engines[0].client() as source, engines[1].client() as target:
        ids = [one.execute_command("CLUSTER", "MYID").decode() for one in (source, target)]
        target.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        source.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])

        assert storage.commit((Insert(A),)) is True
        assert storage.find(Thing, "a") == A
        assert storage.commit((Insert(A),)) is False

        target.flushall()
        for one in (source, target):
            one.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")


def test_a_server_that_was_killed_is_an_error_and_then_is_back_with_all_that_it_had(
    engines: list[Engine], client: redis.cluster.RedisCluster
) -> None:
    home, away, _ = prefixes(engines)
    there, elsewhere = RedisStorage(client, prefix=away), RedisStorage(client, prefix=home)
    assert there.commit((Insert(A), Insert(grant_of("alice", "g")))) is True

    engines[1].kill()
    with pytest.raises(RedisError):
        there.commit((Replace(A, A1),))
    with pytest.raises(RedisError):
        there.find(Thing, "a")
    engines[1].start()

    until(lambda: answers(there))
    assert there.find(Thing, "a") == A
    assert there.commit((Replace(A, A1),)) is True
    until(lambda: answers(elsewhere))
    assert elsewhere.commit((Insert(A),)) is True


def answers(storage: RedisStorage) -> bool:
    """Return whether a storage is well."""
    try:
        storage.find(Thing, "a")
    except RedisError:
        return False
    return True
