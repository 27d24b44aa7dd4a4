"""A file that another process has locked: everybody who waits is told in time, and nobody else has to wait for that."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path

import pytest

from oauthcore.flow.outcome import Insert
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from oauthcore_sqlite.writer import Step, apply
from tests.sqlite.things import Thing

A = Thing("a")
TOGETHER = 8


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that whoever commits needs, as another process's long transaction does."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def locked_for_everybody(path: Path) -> Iterator[None]:
    """Keep the file for one's own, so that nobody else even reads it (SQLite, PRAGMA locking_mode)."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@pytest.mark.slow
def test_commits_that_wait_for_a_lock_together_fail_together_when_their_time_is_over(path: Path) -> None:
    storage = SqliteStorage(path, wait=1)
    with locked(path):
        jobs = [storage._writer.submit(apply([Step.of(Insert(Thing(str(number))))])) for number in range(TOGETHER)]

        told, waiting = wait(jobs, timeout=TOGETHER / 2)

        assert waiting == set()
        for job in told:
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                job.result(0)
    assert storage.commit((Insert(A),)) is True
    storage.close()


@pytest.mark.slow
def test_who_comes_while_others_wait_has_a_time_of_its_own(path: Path) -> None:
    storage = SqliteStorage(path, wait=2)
    with locked(path):
        first = storage._writer.submit(apply([Step.of(Insert(A))]))
        wait([first], timeout=1)
        second = storage._writer.submit(apply([Step.of(Insert(Thing("b")))]))

        with pytest.raises(sqlite3.OperationalError):
            first.result(30)

        assert not second.done()
    assert second.result(30) is True
    storage.close()


def test_a_commit_is_made_as_soon_as_the_lock_is_let_go_of(path: Path) -> None:
    storage = SqliteStorage(path)
    with locked(path):
        job = storage._writer.submit(apply([Step.of(Insert(A))]))

    assert job.result(30) is True
    storage.close()


def test_a_commit_whose_connection_can_not_be_opened_fails_for_who_asked_alone(path: Path) -> None:
    storage = SqliteStorage(path, wait=0)
    with locked_for_everybody(path):
        job = storage._writer.submit(apply([Step.of(Insert(A))]))

        with pytest.raises(sqlite3.OperationalError):
            job.result(30)
    assert storage.commit((Insert(A),)) is True
    storage.close()


@pytest.mark.anyio
async def test_an_event_loop_goes_on_while_a_find_waits_for_a_lock(path: Path) -> None:
    storage = SqliteStorage(path)
    storage.commit((Insert(A),))
    storage.close()
    storage = SqliteStorage(path)
    with locked_for_everybody(path):
        finding = asyncio.ensure_future(AsyncSqliteStorage(storage).find(Thing, "a"))
        done, _ = await asyncio.wait([finding], timeout=0.2)
        assert done == set()

    assert await asyncio.wait_for(finding, 30) == A
    storage.close()


@pytest.mark.anyio
async def test_finds_that_wait_for_a_lock_together_fail_together_when_their_time_is_over(path: Path) -> None:
    SqliteStorage(path).close()
    storage = SqliteStorage(path, wait=0.3)
    with locked_for_everybody(path):
        finding = [asyncio.ensure_future(AsyncSqliteStorage(storage).find(Thing, "a")) for _ in range(TOGETHER)]

        _, waiting = await asyncio.wait(finding, timeout=TOGETHER * 0.15)

        assert waiting == set()
        for one in finding:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await one
    storage.close()
