"""What a host is told about the server's configuration when it starts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio
from redis.exceptions import NoPermissionError

from oauthcore_redis import AsyncRedisStorage, RedisStorage
from oauthcore_redis.durability import ServerStatus, durability_warnings, read_pairs
from tests.redis.engine import DURABLE, Engine, binaries, running

GOOD = {
    "aof_enabled": "1",
    "maxmemory": "0",
    "maxmemory_policy": "noeviction",
    "role": "master",
    "connected_slaves": "0",
}
SET = {"appendfsync": "always", "no-appendfsync-on-rewrite": "no", "min-replicas-to-write": "0"}


def told(info: dict[str, str], settings: dict[str, str], ahead: float = 0.0, replicas: int = 1) -> list[str]:
    found = ServerStatus({**GOOD, **info}, {**SET, **settings}, ahead)
    return [str(warning) for warning in durability_warnings(found, 300, replicas) if warning is not None]


@pytest.fixture(params=sorted(binaries()))
def durable(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    """Return a server as an operator should have it."""
    with running(binaries()[request.param], folder, *DURABLE) as engine:
        yield engine


def test_a_server_as_it_should_be_is_no_concern(durable: Engine) -> None:
    with durable.client() as client:
        assert RedisStorage(client).durability_warnings() == ()


@pytest.mark.anyio
async def test_an_async_host_is_told_the_same(engine: Engine, client: redis.Redis) -> None:
    storage = AsyncRedisStorage(redis.asyncio.Redis(port=engine.port))

    assert [warning.setting for warning in await storage.durability_warnings()] == ["appendonly"]
    assert await storage.durability_warnings() == RedisStorage(client).durability_warnings()
    await storage.aclose()


def test_settings_that_lose_something_are_named_with_their_value_and_the_remedy(
    storage: RedisStorage, client: redis.Redis
) -> None:
    client.config_set("maxmemory", "1gb")
    client.config_set("maxmemory-policy", "allkeys-lru")

    found = storage.durability_warnings()

    client.config_set("maxmemory", "0")
    client.config_set("maxmemory-policy", "noeviction")
    assert [(warning.setting, warning.value) for warning in found] == [
        ("appendonly", "no"),
        ("maxmemory-policy", "allkeys-lru"),
    ]
    assert (
        str(found[1]) == "maxmemory-policy is allkeys-lru: set it to noeviction, or a full memory throws records away"
    )


def test_a_user_that_may_not_see_the_settings_is_told_so_and_can_still_work(
    engine: Engine, client: redis.Redis, prefix: str
) -> None:
    rules = ("on", ">word", f"~{{{prefix}}}:*", "+@all", "-config", "-info")
    client.execute_command("ACL", "SETUSER", "limited", *rules)
    with engine.client(username="limited", password="word") as limited:
        with pytest.raises(NoPermissionError):
            limited.config_get("appendonly")
        found = RedisStorage(limited, prefix=prefix).durability_warnings()
    client.execute_command("ACL", "DELUSER", "limited")

    assert [(warning.setting, warning.value) for warning in found] == [
        ("appendonly", "not to be seen by this user"),
        ("appendfsync", "not to be seen by this user"),
        ("maxmemory-policy", "not to be seen by this user"),
    ]


def test_a_clock_that_is_ahead_is_named(storage: RedisStorage) -> None:
    found = storage.durability_warnings(lambda: time.time() - 1_000)

    assert [(warning.setting, warning.value) for warning in found][1:] == [("clock", "1000 seconds ahead")]
    assert len(storage.durability_warnings(lambda: time.time() + 1_000)) == 1


@pytest.mark.parametrize(
    ("info", "settings", "expected"),
    [
        ({}, {}, None),
        ({"aof_enabled": "0"}, {}, "appendonly is no"),
        ({}, {"appendfsync": "everysec"}, "appendfsync is everysec"),
        ({}, {"no-appendfsync-on-rewrite": "yes"}, "no-appendfsync-on-rewrite is yes"),
        ({"maxmemory": "1", "maxmemory_policy": "volatile-ttl"}, {}, "maxmemory-policy is volatile-ttl"),
        ({"maxmemory": "0", "maxmemory_policy": "volatile-ttl"}, {}, None),
        ({"role": "slave"}, {}, "role is slave"),
        ({"connected_slaves": "2"}, {}, "min-replicas-to-write is 0"),
        ({"connected_slaves": "2"}, {"min-replicas-to-write": "1"}, None),
    ],
)
def test_each_setting_has_its_sentence(info: dict[str, str], settings: dict[str, str], expected: str | None) -> None:
    sentences = told(info, settings)

    assert [sentence.partition(":")[0] for sentence in sentences] == ([] if expected is None else [expected])


def test_who_waits_for_no_replica_is_told_where_there_are_some() -> None:
    followed = {"connected_slaves": "2"}, {"min-replicas-to-write": "1"}

    assert told(*followed, replicas=0) == [
        "replicas is 0: set it to 1 in the URL, or the commits of the last moment end where a replica takes the "
        "primary's place"
    ]
    assert told({}, {}, replicas=0) == told(*followed, replicas=1) == []


def test_in_a_cluster_nobody_is_told_to_set_what_is_refused_there() -> None:
    (sentence,) = told({"connected_slaves": "1", "cluster_enabled": "1"}, {"min-replicas-to-write": "1"}, replicas=0)

    assert sentence.startswith("replicas is 0: let sentinels watch over it instead of a cluster")


def test_a_map_is_read_as_a_list_is() -> None:
    """RESP3 answers CONFIG GET by a map."""
    assert read_pairs({b"a": b"1"}) == read_pairs([b"a", b"1"]) == {"a": "1"}
