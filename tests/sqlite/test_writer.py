"""The writer: commits that wait go together, each judged by itself; whoever asked hears, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import CancelledError, Future
from pathlib import Path
from threading import Event, Thread

import pytest

from oauthcore.flow.outcome import Insert, Replace
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage, writer
from oauthcore_sqlite.database_file import DatabaseFile
from oauthcore_sqlite.schema import connect_writer
from oauthcore_sqlite.storage import WAIT
from oauthcore_sqlite.writer import Step, Work, Writer, apply
from tests.processes import PATIENCE
from tests.sqlite.things import Thing


class Counting(sqlite3.Connection):
    """Count what ends a transaction, and fail where a test wants it."""

    statements: list[str]
    failing: set[str]

    def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[explicit-override]  # none in 3.11
        """Execute, or fail."""
        self.statements.append(statement.split()[0])
        if statement.split()[0] in self.failing:
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, *parameters)  # type: ignore[arg-type]  # as many as there are


def counting(path: Path) -> tuple[Writer, list[str], set[str]]:
    """Make a writer that tells what it does."""
    SqliteStorage(path).close()
    statements: list[str] = []
    failing: set[str] = set()

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Counting)
        connection.statements, connection.failing = statements, failing
        return connection

    return Writer(connect, DatabaseFile(path), WAIT), statements, failing


def inserting(key: str) -> Work:
    return apply([Step.of(Insert(Thing(key)))])


def blocked(writing: Writer) -> tuple[Event, Future[int]]:
    """Keep the writer busy until the event is set."""
    begun, go_on = Event(), Event()

    def work(connection: sqlite3.Connection) -> int:
        begun.set()
        go_on.wait(30)
        return 0

    done = writing.submit(work)
    begun.wait(30)
    return go_on, done


def test_commits_that_wait_share_one_transaction_and_are_judged_one_by_one(path: Path) -> None:
    writing, statements, _ = counting(path)
    go_on, _ = blocked(writing)
    waiting = [writing.submit(inserting(key)) for key in "abab"]

    go_on.set()
    answers = [job.result(PATIENCE) for job in waiting]
    writing.close()

    assert answers == [True, True, False, False]
    assert statements.count("BEGIN") == statements.count("COMMIT") == 2


def test_a_group_has_a_largest_size(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP", 2)
    writing, statements, _ = counting(path)
    go_on, _ = blocked(writing)
    waiting = [writing.submit(inserting(key)) for key in "abcd"]

    go_on.set()
    answers = [job.result(PATIENCE) for job in waiting]
    writing.close()

    assert answers == [True] * 4
    assert statements.count("COMMIT") == 3


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_everybody_in_a_group_hears_of_its_failure_and_nothing_of_it_is_done(path: Path, statement: str) -> None:
    writing, _, failing = counting(path)
    go_on, _ = blocked(writing)
    waiting = [writing.submit(inserting(key)) for key in "ab"]
    failing.add(statement)
    go_on.set()

    for job in waiting:
        with pytest.raises(sqlite3.OperationalError, match="full"):
            job.result(PATIENCE)

    failing.clear()
    assert writing.submit(inserting("a")).result(PATIENCE) is True
    writing.close()


def test_a_connection_that_can_not_even_undo_is_replaced(path: Path) -> None:
    writing, _, failing = counting(path)
    failing |= {"COMMIT", "ROLLBACK"}

    with pytest.raises(sqlite3.OperationalError):
        writing.submit(inserting("a")).result(PATIENCE)

    failing.clear()
    assert writing.submit(inserting("a")).result(PATIENCE) is True
    writing.close()


def test_closing_writes_what_is_queued(path: Path) -> None:
    writing, _, _ = counting(path)
    go_on, busy = blocked(writing)
    waiting = writing.submit(inserting("a"))

    go_on.set()
    writing.close()

    assert (busy.result(PATIENCE), waiting.result(PATIENCE)) == (0, True)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        writing.submit(inserting("b"))


@pytest.mark.anyio
async def test_what_an_event_loop_asks_for_in_one_turn_shares_one_transaction(path: Path) -> None:
    writing, statements, _ = counting(path)

    answers = await asyncio.gather(*(writing.submit_here(inserting(key)) for key in "abcab"))
    writing.close()

    assert answers == [True, True, True, False, False]
    assert statements.count("COMMIT") == 1


@pytest.mark.anyio
async def test_writer_does_not_begin_before_the_event_loop_has_asked_for_everything(path: Path) -> None:
    writing, _, _ = counting(path)

    asked = writing.submit_here(inserting("a"))
    has_begun = writing._thread is not None
    answer = await asked
    writing.close()

    assert (has_begun, answer) == (False, True)


@pytest.mark.anyio
async def test_closing_writes_what_an_event_loop_has_only_just_asked_for(path: Path) -> None:
    writing, _, _ = counting(path)
    asked = writing.submit_here(inserting("a"))

    writing.close()

    assert await asked is True
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        writing.submit_here(inserting("b"))


def test_event_loop_that_ends_before_its_turn_keeps_nobody_else_waiting(path: Path) -> None:
    writing, _, _ = counting(path)

    async def ask_and_leave() -> None:
        writing.submit_here(inserting("a")).cancel()

    asyncio.run(ask_and_leave())

    assert writing.submit(inserting("b")).result(PATIENCE) is True
    writing.close()


def test_a_commit_that_is_given_up_before_its_turn_is_not_made(path: Path) -> None:
    writing, _, failing = counting(path)
    go_on, _ = blocked(writing)
    given_up, waiting = writing.submit(inserting("a")), writing.submit(inserting("b"))

    given_up.cancel()
    go_on.set()

    assert waiting.result(PATIENCE) is True
    with pytest.raises(CancelledError):
        given_up.result(PATIENCE)
    assert writing.submit(inserting("a")).result(PATIENCE) is True
    go_on, _ = blocked(writing)
    given_up, waiting = writing.submit(inserting("c")), writing.submit(inserting("d"))
    given_up.cancel()
    failing.add("COMMIT")
    go_on.set()
    with pytest.raises(sqlite3.OperationalError):
        waiting.result(PATIENCE)
    failing.clear()
    writing.close()


@pytest.mark.anyio
async def test_who_awaits_a_commit_may_be_cancelled(path: Path) -> None:
    storage = SqliteStorage(path)
    go_on, _ = blocked(storage._writer)
    awaiting = asyncio.ensure_future(AsyncSqliteStorage(storage).commit((Insert(Thing("a")),)))
    await asyncio.wait([awaiting], timeout=0)

    awaiting.cancel()
    await asyncio.wait([awaiting])
    go_on.set()

    assert await AsyncSqliteStorage(storage).commit((Insert(Thing("a")), Replace(Thing("a"), Thing("a", 1)))) is True
    storage.close()


@pytest.mark.parametrize(("asked", "level"), [("FULL", 2), ("NORMAL", 1)])
def test_the_disk_is_waited_for_as_the_setting_says(path: Path, asked: str, level: int) -> None:
    """SQLite, PRAGMA synchronous: 2 is FULL, which syncs the log at every commit."""
    SqliteStorage(path).close()

    connection = connect_writer(path, 1, asked)  # type: ignore[arg-type]  # it is one of the two

    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    connection.close()


def test_a_thread_that_can_not_be_started_once_is_started_by_the_next_commit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, fails = Thread.start, [True]

    def failing(thread: Thread) -> None:
        if fails and "writer" in thread.name:
            fails.clear()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", failing)
    storage = SqliteStorage(path)
    with pytest.raises(RuntimeError, match="new thread"):
        storage.commit([Insert(Thing(key="1"))])

    assert storage.commit([Insert(Thing(key="1"))])
    storage.close()
