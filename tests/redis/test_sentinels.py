"""Sentinel: a storage follows the primary wherever it is, by itself; and what it acknowledged is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Semaphore

import httpx
import pytest
from redis.exceptions import RedisError

from oauthcore.flow.outcome import Insert
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from oauthcore_redis.connections import NotReplicated
from tests.redis.engine import VOLATILE, binaries, running
from tests.redis.sentinels import Watched, watched
from tests.redis.test_serving import installation_on
from tests.redis.things import Thing
from tests.redis.writing import check_pairs_are_whole_and_kept

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

THREADS = 4


@pytest.fixture(params=sorted(binaries()))
def three(request: pytest.FixtureRequest, folder: Path) -> Iterator[Watched]:
    """Return a primary with two replicas, and a sentinel."""
    with watched(binaries()[request.param], folder) as servers:
        yield servers


def test_what_was_acknowledged_before_the_primary_was_killed_is_at_its_successor(three: Watched) -> None:
    storage = RedisStorage.from_url(three.url)

    def kill_the_primary(done: Semaphore) -> None:
        for turn in range(2):
            for _ in range(200):
                assert done.acquire(timeout=60)
            if turn == 0:
                three.engines[0].kill()

    assert check_pairs_are_whole_and_kept(storage, kill_the_primary) >= 400
    storage.close()


@pytest.mark.anyio
async def test_an_async_storage_names_what_may_be_lost_and_finds_the_successor_by_itself(three: Watched) -> None:
    storage = AsyncRedisStorage.from_url(three.url)
    assert await storage.commit((Insert(Thing("before")),)) is True
    assert [warning.setting for warning in await storage.durability_warnings()] == ["min-replicas-to-write"]
    careless = AsyncRedisStorage.from_url(three.url.removesuffix("?replicas=1"))
    assert [warning.setting for warning in await careless.durability_warnings()] == [
        "min-replicas-to-write",
        "replicas",
    ]
    await careless.aclose()

    three.engines[0].kill()
    made = 0
    while made < 3:
        with suppress(RedisError):
            assert await storage.commit((Insert(Thing(f"after {made}")),)) is not None
            made += 1

    assert await storage.find(Thing, "before") == Thing("before")
    await storage.aclose()


@pytest.mark.parametrize("three", ["valkey"], indirect=True)
def test_the_reference_server_answers_503_until_there_is_a_successor(three: Watched, folder: Path) -> None:
    installation = installation_on(folder / "as", three.url)
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    form, secret = {"grant_type": "client_credentials"}, ("app", app["client_secret"])

    with installation.serving() as server, httpx.Client(base_url=server.url, trust_env=False, timeout=30) as flow:
        assert flow.post("/token", data=form, auth=secret).status_code == 200
        three.engines[0].kill()
        statuses = [flow.post("/token", data=form, auth=secret).status_code]
        while statuses[-1] != 200:
            statuses.append(flow.post("/token", data=form, auth=secret).status_code)

    assert set(statuses) == {503, 200}


@pytest.mark.parametrize("name", sorted(binaries()))
def test_a_commit_that_too_few_replicas_have_is_not_acknowledged(name: str, folder: Path) -> None:
    with running(binaries()[name], folder, *VOLATILE) as alone:
        storage = RedisStorage.from_url(f"{alone.url}?replicas=1")

        with pytest.raises(NotReplicated, match="of 1 replicas 0 have the commit"):
            storage.commit((Insert(Thing("a")),))

        # Nobody was told that it is there, nor that it is not.
        assert storage.find(Thing, "a") == Thing("a")
        storage.close()
