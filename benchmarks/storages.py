"""What a find and a commit cost, storage by storage, in one run.

The claim: what a commit costs that stays is the disk, whatever engine writes to it; what a find costs is the way there.

Run `python -m benchmarks.storages`. Each storage is filled with some thousand tokens and grants. Then one thread, and
eight at once, find a token that is there; and commit what a rotation commits (a client that is still the same, a grant
replaced, two tokens added). Servers are started on loopback for the run. `durable` is what docs ask for: True means on
the disk.

The conclusion (CPython 3.11, two idle cores, and a disk that synchronises in about a tenth of a millisecond; a second
run differed by a quarter at most):

| | finds/s | by 8 threads | commits/s | by 8 threads |
|---|---|---|---|---|
| memory | 1,743,773 | 1,640,628 | 53,650 | 27,510 |
| SQLite, NORMAL | 82,537 | 33,991 | 3,369 | 5,784 |
| SQLite, FULL (durable) | 83,824 | 38,795 | 2,502 | 5,316 |
| Redis 6.2, no file | 7,884 | 6,117 | 3,356 | 3,568 |
| Redis 6.2, everysec | 6,863 | 5,628 | 3,789 | 3,902 |
| Redis 6.2, always (durable) | 7,579 | 6,578 | 2,464 | 5,485 |
| Valkey 9.1, always (durable) | 7,898 | 6,383 | 2,203 | 5,180 |
| PostgreSQL 18 (durable) | 4,162 | 3,893 | 741 | 1,736 |
| MariaDB 10.11 (durable) | 3,536 | 4,618 | 726 | 1,376 |

Half of the claim holds. What a find costs is the way there: 12 us in a file, 130 us over a socket to Redis, 240 to
280 us by SQLAlchemy from a server. What a commit costs is the disk only where the disk is slow: here a file commits at
FULL three quarters as often as at NORMAL, and a commit in PostgreSQL takes 1.3 ms, of which little is the disk. On a
busy machine whose disk takes milliseconds the durable ones were all alike, 100 to 400 commits a second by one thread.
Several threads share the disk's turns everywhere but in memory. Redis is no faster than one file on one machine; it is
there for several.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

import attrs

from oauthcore import Client, MemoryStorage, Scope
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Change, Insert, Replace, Require
from oauthcore.flow.storage import Storage
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken, RefreshToken
from oauthcore_redis import RedisStorage
from oauthcore_sqlalchemy import SqlAlchemyStorage, engine_of
from oauthcore_sqlite import SqliteStorage, Synchronous
from tests.redis.engine import DURABLE, VOLATILE, binaries, running
from tests.servers.mariadb import MariaDb, MariaDbProcess
from tests.servers.postgresql import Cluster, PostgreSql, PostgreSqlProcess
from tests.servers.program import Folder
from tests.sql.conftest import make_table

RECORDS = 2_000
THREADS = 8
SECONDS = 1.0
LATER = 2**33
CLIENT = Client(client_id="client", redirect_uris=("https://client.example/cb",), scope="email profile")


def digest(number: int) -> Digest:
    """Return something of a digest's length."""
    return Digest(f"{number:064x}")


def grant_of(number: int, rotated: int = 0) -> Grant:
    """Make one of many grants."""
    return Grant(
        key=digest(number),
        client_id="client",
        subject=f"subject-{number}",
        scope=Scope(("email",)),
        auth_time=1,
        granted_at=1,
        expires_at=LATER,
        refresh_token=digest(rotated),
    )


def token_of(number: int) -> AccessToken:
    """Make one of many access tokens."""
    return AccessToken(
        key=digest(number),
        client_id="client",
        subject="subject",
        grant=digest(number),
        scope=Scope(("email",)),
        audience=(),
        issued_at=1,
        expires_at=LATER,
    )


def refresh_token_of(number: int) -> RefreshToken:
    """Make one of many refresh tokens."""
    return RefreshToken(
        key=digest(number), client_id="client", subject="subject", grant=digest(0), issued_at=1, expires_at=LATER
    )


Opening: TypeAlias = Callable[[Path], AbstractContextManager[Storage]]


@contextmanager
def memory(folder: Path) -> Iterator[Storage]:
    """Return the own process's memory."""
    yield MemoryStorage()


def sqlite(synchronous: Synchronous) -> Opening:
    """Return a file."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Storage]:
        storage = SqliteStorage(folder / "oauthcore.db", synchronous=synchronous)
        yield storage
        storage.close()

    return opened


def redis(name: str, *options: str) -> Opening:
    """Return Redis or Valkey."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Storage]:
        with running(binaries()[name], folder, *options) as engine:
            storage = RedisStorage.from_url(engine.url)
            yield storage
            storage.close()

    return opened


@contextmanager
def postgresql() -> Iterator[PostgreSql]:
    """Run a durable PostgreSQL."""
    folder = Folder("cluster")
    process = PostgreSqlProcess(Cluster.made(folder), durable=True)
    yield process.server
    process.stop()
    folder.remove()


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """Run a durable MariaDB."""
    process = MariaDbProcess(durable=True)
    yield process.server
    process.stop()


def sql(running: Callable[[], AbstractContextManager[PostgreSql | MariaDb]]) -> Opening:
    """Return a SQL database, by its blocking driver."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Storage]:
        with running() as server:
            url = server.url(server.drivers[0], server.database())
            make_table(url)
            storage = SqlAlchemyStorage(engine_of(url, pool_size=THREADS))
            yield storage
            storage.close()

    return opened


STORAGES: dict[str, Opening] = {
    "memory": memory,
    "SQLite, NORMAL": sqlite("NORMAL"),
    "SQLite, FULL (durable)": sqlite("FULL"),
    "Redis 6.2, no file": redis("redis", *VOLATILE),
    "Redis 6.2, everysec": redis("redis", "--appendonly", "yes", "--appendfsync", "everysec"),
    "Redis 6.2, always (durable)": redis("redis", *DURABLE),
    "Valkey 9.1, always (durable)": redis("valkey", *DURABLE),
    "PostgreSQL 18 (durable)": sql(postgresql),
    "MariaDB 10.11 (durable)": sql(mariadb),
}


@attrs.frozen
class Figures:
    """Hold how many a second there were: by one thread, and by several."""

    finds: float
    finds_at_once: float
    commits: float
    commits_at_once: float


def fill(storage: Storage) -> None:
    """Put in what is found and what is changed."""
    assert storage.commit((Insert(CLIENT),))
    for start in range(0, RECORDS, 100):
        numbers = range(start, start + 100)
        changes: list[Change] = [Insert(token_of(number)) for number in numbers]
        assert storage.commit([*changes, *(Insert(grant_of(number)) for number in numbers)])


def rate(act: Callable[[int], bool], threads: int) -> float:
    """Let threads act for some seconds, each on numbers of its own; give how often they did in a second."""
    end = perf_counter() + SECONDS

    def go_on(thread: int) -> int:
        for turn in count():
            if perf_counter() >= end:
                return turn
            assert act(turn * THREADS + thread)
        raise AssertionError("counting has no end")

    start = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(go_on, range(threads)))
    return done / (perf_counter() - start)


def measure(storage: Storage) -> Figures:
    """Measure one storage."""
    fill(storage)
    rotations = dict.fromkeys(range(RECORDS), 0)
    fresh = count(RECORDS)

    def find(number: int) -> bool:
        return storage.find(AccessToken, digest(number % RECORDS)) is not None

    def rotate(number: int) -> bool:
        place, new = number % RECORDS, next(fresh)
        old = grant_of(place, rotations[place])
        rotations[place] = new
        changes = (Replace(old, grant_of(place, new)), Insert(token_of(new)), Insert(refresh_token_of(new)))
        return storage.commit((Require(CLIENT), *changes))

    return Figures(rate(find, 1), rate(find, THREADS), rate(rotate, 1), rate(rotate, THREADS))


def main() -> None:
    """Measure them all, or those whose names have the given words."""
    words = sys.argv[1:]
    heading = ("finds/s", f"by {THREADS} threads", "commits/s", f"by {THREADS} threads")
    print(f"{'':<30}" + "".join(f"{name:>14}" for name in heading))
    for name, opening in STORAGES.items():
        if not words or any(word in name for word in words):
            with tempfile.TemporaryDirectory() as folder, opening(Path(folder)) as storage:
                found = measure(storage)
            print(f"{name:<30}" + "".join(f"{figure:>14,.0f}" for figure in attrs.astuple(found)), flush=True)


if __name__ == "__main__":
    main()
