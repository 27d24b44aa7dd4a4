"""Lines: how often the server is asked, and what is asked again where the connection broke."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis.asyncio
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.grant import Consent, Grant
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from tests.redis.engine import Engine
from tests.redis.things import Other, Thing, consent_of, grant_of

A, G = Thing("a"), grant_of("alice", "g")
CHANGES: tuple[Change, ...] = (
    Insert(Thing("new", expires_at=1)),
    Replace(A, Thing("a", 1)),
    Require(Other("o")),
    Delete(G),
    Insert(consent_of("alice", "c")),
)


class Breaking:
    """Count what goes over connections, and lose the replies to some of it."""

    words: list[str]
    losses: list[str]

    def note(self, words: tuple[Any, ...]) -> bool:
        """Write a command down; tell whether its reply is to be lost."""
        name = words[0].decode() if isinstance(words[0], bytes) else str(words[0])
        self.words.append(name)
        is_lost = bool(self.losses) and self.losses[0] == name
        if is_lost:
            self.losses.pop(0)
        return is_lost


@pytest.fixture
def breaking() -> Breaking:
    """Return what counts and breaks, with nothing to break."""
    found = Breaking()
    found.words, found.losses = [], []
    return found


def seen_by(breaking: Breaking) -> Callable[..., redis.Connection]:
    """Return a class of connections that are counted and broken."""

    class Connection(redis.Connection):
        def send_command(self, *words: Any, **options: Any) -> None:  # type: ignore[explicit-override]  # none in 3.11
            is_lost = breaking.note(words)
            super().send_command(*words, **options)  # type: ignore[no-untyped-call]  # redis-py's has no types
            if is_lost:
                super().read_response()  # it was done, and nobody hears of it
                getattr(self, "_sock").shutdown(socket.SHUT_RDWR)  # noqa: B009  # for a type, it is None

    return Connection


@pytest.fixture
def storage(engine: Engine, client: redis.Redis, breaking: Breaking) -> Iterator[RedisStorage]:
    """Return a storage whose client is willing to try things again, with records in it."""
    pool = redis.ConnectionPool(connection_class=seen_by(breaking), port=engine.port, protocol=2)
    storage = RedisStorage(redis.Redis(connection_pool=pool))
    storage.commit((Insert(A), Insert(Other("o")), Insert(G)))
    breaking.words.clear()
    yield storage
    pool.disconnect()


def test_a_find_is_one_command(storage: RedisStorage, breaking: Breaking) -> None:
    assert storage.find(Thing, "a") == A
    assert storage.find(Thing, "z") is None
    assert breaking.words == ["GET", "GET"]


def test_a_find_by_person_is_one_command_however_many_there_are(storage: RedisStorage, breaking: Breaking) -> None:
    storage.commit([Insert(grant_of("alice", str(number))) for number in range(1_000)])
    breaking.words.clear()
    storage.find_of(Grant, "bob")
    breaking.words.clear()

    assert len(storage.find_of(Grant, "alice")) == 1_001

    assert breaking.words == ["EVALSHA"]


def test_a_commit_is_one_command_whether_it_is_made_or_not(storage: RedisStorage, breaking: Breaking) -> None:
    assert storage.commit(CHANGES) is True
    assert storage.commit(CHANGES) is False
    assert storage.commit((Insert(Thing("b")), Require(Thing("a", 7)))) is False

    assert breaking.words == ["EVALSHA"] * 3


def test_a_commit_that_precludes_itself_and_one_of_nothing_ask_nobody(
    storage: RedisStorage, breaking: Breaking
) -> None:
    assert storage.commit((Require(A), Insert(A))) is False
    assert storage.commit(()) is True

    assert breaking.words == []


def test_a_server_that_has_forgotten_the_script_is_told_it_once(
    storage: RedisStorage, client: redis.Redis, breaking: Breaking
) -> None:
    client.script_flush()

    assert storage.commit(CHANGES) is True
    assert storage.commit((Require(Other("o")),)) is True
    assert storage.find_of(Consent, "alice") == [consent_of("alice", "c")]

    assert breaking.words == ["EVALSHA", "EVAL", "EVALSHA", "EVALSHA", "EVAL"]


def test_a_find_whose_reply_was_lost_is_asked_once_more(storage: RedisStorage, breaking: Breaking) -> None:
    breaking.losses += ["GET", "EVALSHA"]

    assert storage.find(Thing, "a") == A
    storage.find_of(Grant, "alice")

    assert [word for word in breaking.words if word in {"GET", "EVAL", "EVALSHA"}][:2] == ["GET", "GET"]
    assert breaking.losses == []


def test_a_find_that_is_lost_twice_is_an_error(storage: RedisStorage, breaking: Breaking) -> None:
    breaking.losses += ["GET", "GET"]

    with pytest.raises(Disconnected):
        storage.find(Thing, "a")

    assert storage.find(Thing, "a") == A


def test_a_commit_whose_reply_was_lost_is_an_error_and_never_sent_again(
    storage: RedisStorage, breaking: Breaking
) -> None:
    """The client is willing to try thrice; then the second one would be told that somebody else was first."""
    breaking.losses += ["EVALSHA"]

    with pytest.raises(Disconnected):
        storage.commit(CHANGES)

    assert breaking.words == ["EVALSHA"]
    assert storage.find(Thing, "a") == Thing("a", 1)


def test_an_error_of_the_server_leaves_the_connection_in_order(
    storage: RedisStorage, client: redis.Redis, breaking: Breaking
) -> None:
    client.lpush("{oauthcore}:Thing:list", "x")

    for _ in range(3):
        with pytest.raises(RedisError, match="WRONGTYPE"):
            storage.find(Thing, "list")

    assert storage.find(Thing, "a") == A
    assert breaking.words == ["GET"] * 4


@pytest.mark.anyio
async def test_an_async_host_asks_no_more_often(engine: Engine, client: redis.Redis) -> None:
    storage = AsyncRedisStorage(redis.asyncio.Redis(port=engine.port, protocol=2))
    await storage.commit((Insert(A), Insert(Other("o")), Insert(G)))
    await storage.find_of(Grant, "alice")
    client.config_resetstat()

    assert await storage.find(Thing, "a") == A
    assert await storage.commit(CHANGES) is True
    assert await storage.commit(CHANGES) is False
    assert len(await storage.find_of(Consent, "alice")) == 1

    counts = client.info("commandstats")
    assert counts["cmdstat_evalsha"]["calls"] == 3
    assert "cmdstat_eval" not in counts
    await storage.aclose()


@pytest.mark.anyio
async def test_who_awaits_a_commit_may_be_cancelled_and_the_next_one_gets_its_own_reply(
    engine: Engine, client: redis.Redis
) -> None:
    storage = AsyncRedisStorage(redis.asyncio.Redis(port=engine.port, protocol=2))
    await storage.commit((Insert(A),))
    for turn in range(50):
        awaiting = asyncio.ensure_future(storage.commit((Insert(Thing(f"turn {turn}")),)))
        for _ in range(turn % 10):
            await asyncio.sleep(0)
        awaiting.cancel()
        await asyncio.wait([awaiting])

        assert await storage.find(Thing, "a") == A

    await storage.aclose()


@pytest.mark.anyio
async def test_an_async_commit_is_not_sent_again_when_the_server_is_gone(engine: Engine, client: redis.Redis) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.append(line.strip())
            if line.strip() in {b"EVALSHA", b"GET"}:
                break  # heard, and gone
            if line.strip() in {b"LIB-VER", b"LIB-NAME"}:
                writer.write(b"+OK\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    storage = AsyncRedisStorage(redis.asyncio.Redis(port=server.sockets[0].getsockname()[1], protocol=2))

    with pytest.raises(Disconnected):
        await storage.commit((Insert(A),))
    with pytest.raises(Disconnected):
        await storage.find(Thing, "a")

    assert asked.count(b"EVALSHA") == 1
    assert asked.count(b"GET") == 2
    await storage.aclose()
    server.close()
