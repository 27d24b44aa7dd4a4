"""A commit is all or nothing, whatever the server has against it: Redis rolls nothing back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis
from redis.exceptions import ResponseError

from oauthcore.flow.outcome import Delete, Insert, Replace
from oauthcore.records.grant import Grant
from oauthcore_redis import RedisStorage
from tests.redis.engine import Engine
from tests.redis.things import Thing, grant_of

A, B = Thing("a"), Thing("b")


@pytest.fixture
def configurable(client: redis.Redis) -> Iterator[redis.Redis]:
    """Return a client that may change the server's settings, which are put back."""
    yield client
    client.execute_command("REPLICAOF", "NO", "ONE")
    client.config_set("maxmemory", "0")
    client.config_set("min-replicas-to-write", "0")


@pytest.mark.parametrize("name", ["Thing:b", "Grant:g", "Grant.subject:alice"])
def test_a_key_of_somebody_elses_type_fails_the_whole_commit(
    storage: RedisStorage, client: redis.Redis, prefix: str, name: str
) -> None:
    storage.commit((Insert(A),))
    foreign = f"{{{prefix}}}:{name}"
    client.lpush(foreign, "x")

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        storage.commit((Replace(A, Thing("a", 1)), Insert(B), Insert(grant_of("alice", "g"))))

    assert storage.find(Thing, "a") == A
    assert sorted(client.keys("*")) == sorted([f"{{{prefix}}}:Thing:a".encode(), foreign.encode()])


def test_a_full_memory_fails_the_whole_commit(storage: RedisStorage, configurable: redis.Redis) -> None:
    storage.commit((Insert(A),))
    configurable.config_set("maxmemory", "1")

    with pytest.raises(ResponseError, match="maxmemory"):
        storage.commit((Replace(A, Thing("a", 1)), Insert(B), Insert(grant_of("alice", "g"))))
    with pytest.raises(ResponseError, match="maxmemory"):
        storage.commit((Insert(B), Insert(grant_of("alice", "g"))))

    assert [storage.find(Thing, "a"), storage.find(Thing, "b")] == [A, None]
    assert storage.find_of(Grant, "alice") == []


def test_a_commit_that_begins_by_deleting_is_whole_in_a_full_memory_too(
    storage: RedisStorage, configurable: redis.Redis
) -> None:
    storage.commit((Insert(A),))
    configurable.config_set("maxmemory", "1")

    try:
        done = storage.commit((Delete(A), Insert(B), Insert(grant_of("alice", "g"))))
    except ResponseError:
        done = False

    there = storage.find(Thing, "a"), storage.find(Thing, "b"), storage.find_of(Grant, "alice")
    assert there == ((None, B, [grant_of("alice", "g")]) if done else (A, None, []))


def test_a_replica_takes_nothing_of_a_commit(storage: RedisStorage, configurable: redis.Redis) -> None:
    storage.commit((Insert(A),))
    configurable.execute_command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(ResponseError, match="replica"):
        storage.commit((Delete(A), Insert(B)))

    configurable.execute_command("REPLICAOF", "NO", "ONE")
    assert [storage.find(Thing, "a"), storage.find(Thing, "b")] == [A, None]


def test_a_primary_that_misses_its_replicas_takes_nothing_of_a_commit_or_all(
    storage: RedisStorage, configurable: redis.Redis
) -> None:
    """Redis looks at `min-replicas-to-write` before a script's writes since version 7."""
    storage.commit((Insert(A),))
    configurable.config_set("min-replicas-to-write", "1")
    is_old = int(configurable.info("server")["redis_version"].partition(".")[0]) < 7

    if is_old:
        assert storage.commit((Delete(A), Insert(B))) is True
    else:
        with pytest.raises(ResponseError, match="NOREPLICAS"):
            storage.commit((Delete(A), Insert(B)))

    assert [storage.find(Thing, "a"), storage.find(Thing, "b")] == ([None, B] if is_old else [A, None])


COMMANDS = ["get", "zcard", "set", "del", "zadd", "zremrangebyscore", "zrevrange", "pexpireat", "time"]


@pytest.fixture
def limited(engine: Engine, client: redis.Redis) -> Iterator[Callable[[str], redis.Redis]]:
    """Return what makes a client that may do everything but one thing."""
    with ExitStack() as stack:

        def made(command: str) -> redis.Redis:
            client.execute_command("ACL", "SETUSER", "app", "on", ">hush", "~*", "+@all", f"-{command}")
            stack.callback(client.execute_command, "ACL", "DELUSER", "app")
            limited: redis.Redis = stack.enter_context(engine.client(username="app", password="hush"))
            return limited

        yield made


CHANGES = (
    Insert(B),
    Replace(A, Thing("a", 1)),
    Delete(Thing("c")),
    Insert(grant_of("alice", "h")),
    Replace(grant_of("alice", "g"), grant_of("bob", "g")),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_who_may_not_do_all_of_a_commit_does_nothing_of_it(
    storage: RedisStorage, limited: Callable[[str], redis.Redis], prefix: str, command: str
) -> None:
    storage.commit((Insert(A), Insert(Thing("c")), Insert(grant_of("alice", "g"))))

    with pytest.raises(ResponseError):
        RedisStorage(limited(command), prefix=prefix).commit(CHANGES)

    assert [storage.find(Thing, key) for key in "abc"] == [A, None, Thing("c")]
    assert storage.find_of(Grant, "alice") == [grant_of("alice", "g")]
    assert storage.find_of(Grant, "bob") == []
    assert storage.commit(CHANGES) is True


def test_a_user_who_may_not_tidy_up_an_index_has_done_all_before(
    storage: RedisStorage, limited: Callable[[str], redis.Redis], prefix: str
) -> None:
    storage.commit((Insert(A), Insert(Thing("c")), Insert(grant_of("alice", "g"))))

    with pytest.raises(ResponseError):
        RedisStorage(limited("zrem"), prefix=prefix).commit(CHANGES)

    assert [storage.find(Thing, key) for key in "abc"] == [Thing("a", 1), B, None]
    assert storage.find_of(Grant, "alice") == [grant_of("alice", "h")]
    assert storage.find_of(Grant, "bob") == [grant_of("bob", "g")]
