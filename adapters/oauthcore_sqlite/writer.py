"""The writer: one thread, one connection, one transaction for every commit that waits (group commit).

A commit has to be on disk before it returns, and that takes milliseconds, for one change as for a hundred. So all
commits that were queued while the last transaction was written go into the next one together. Each commit still has its
own preconditions, on the results of those before it, and no caller returns before all are on disk.

If another process holds the file's lock, each commit waits for it no longer than its own timeout, which begins when it
is queued: those that were queued together fail together, and not one after the other.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import TypeAlias, assert_never

import attrs

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.client import Client
from oauthcore.records.kinds import is_found_by_subject, kind_name
from oauthcore.records.record import Record
from oauthcore.storage.codec import dump, load
from oauthcore_sqlite import callers
from oauthcore_sqlite.callers import Caller, Outcome
from oauthcore_sqlite.database_file import DatabaseFile, Identity

# More would make the first one wait for the last; with fewer the disk does the same work more often.
GROUP = 256
LATEST = 2**63 - 1

_PUT = "INSERT OR REPLACE INTO record (kind, key, subject, expires_at, body) VALUES (?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM record WHERE kind = ? AND key = ?"
BODY = "SELECT body FROM record WHERE kind = ? AND key = ?"
_PURGE = """
    DELETE FROM record WHERE (kind, key) IN (SELECT kind, key FROM record WHERE expires_at < ? LIMIT ?)
"""

Place: TypeAlias = tuple[str, str]
Work: TypeAlias = Callable[[sqlite3.Connection], int]
"""What is done inside of the transaction: it gives its answer, and how much it changed is its own affair."""


@attrs.frozen
class Step:
    """Hold a change as the table knows it: what has to be there, and what is there afterwards."""

    place: Place
    expected: Record | None
    expected_body: str | None
    after: Record | None
    after_body: str | None

    @classmethod
    def of(cls, change: Change, partition: str = "") -> Step:
        """Spell a change out; raises `ValueError` for what can't be stored, before anything is queued."""
        if isinstance(change, Insert):
            return cls(place_of(change.record, partition), None, None, change.record, spelled(change.record))
        if isinstance(change, Require):
            body = spelled(change.record)
            return cls(place_of(change.record, partition), change.record, body, change.record, body)
        if isinstance(change, Replace):
            place = place_of(change.old, partition)
            return cls(place, change.old, spelled(change.old), change.new, spelled(change.new))
        if isinstance(change, Delete):
            return cls(place_of(change.record, partition), change.record, spelled(change.record), None, None)
        assert_never(change)

    def holds(self, body: str | None) -> bool:
        """Return whether what is stored is what has to be there."""
        if body is None or self.expected is None:
            return body is None and self.expected is None
        # Other text may still be the same record: an older version wrote it, before a field was added.
        return body == self.expected_body or load(type(self.expected), body) == self.expected


def spelled(record: Record) -> str:
    """Return a record's text; raises `ValueError` for characters that no file can hold (lone surrogates)."""
    # Nearly every commit requires one of a few clients to be as it was. Records are frozen, and equal ones are spelled
    # alike.
    return _client_spelled(record) if isinstance(record, Client) else _spelled(record)


def _spelled(record: Record) -> str:
    body = dump(record)
    body.encode()
    return body


_client_spelled = lru_cache(maxsize=256)(_spelled)


def place_of(record: Record, partition: str = "") -> Place:
    """Return where a record is kept."""
    return kind_name(type(record), partition), record.key


def subject_of(record: Record) -> str | None:
    """Return the subject that a record is found by, if it is of a kind that is."""
    return record.subject if is_found_by_subject(record) else None


def expiry_of(record: Record) -> int | None:
    """Return when a record expires, or the last second that a file can hold: a later one would fail the whole group."""
    return None if record.expires_at is None else min(record.expires_at, LATEST)


def apply(steps: Sequence[Step]) -> Work:
    """Make the work of one commit: all of its steps, or none and False."""

    def work(connection: sqlite3.Connection) -> int:
        written: dict[Place, Step] = {}
        for step in steps:
            earlier = written.get(step.place)
            body = stored_body(connection, step.place) if earlier is None else earlier.after_body
            if not step.holds(body):
                return False
            if step.after is not step.expected:
                written[step.place] = step
        for place, step in written.items():
            if step.after is None:
                connection.execute(_REMOVE, place)
            else:
                row = (*place, subject_of(step.after), expiry_of(step.after), step.after_body)
                connection.execute(_PUT, row)
        return True

    return work


def stored_body(connection: sqlite3.Connection, place: Place) -> str | None:
    """Return the text that is stored there, or None."""
    row = connection.execute(BODY, place).fetchone()
    return None if row is None else str(row[0])


def remove_expired(expired_before: int, limit: int) -> Work:
    """Make the work of one bounded purge: it gives how many records it removed."""
    # A negative limit is none (SQLite, SELECT, section 5).
    return lambda connection: connection.execute(_PURGE, (expired_before, max(limit, 0))).rowcount


@attrs.frozen
class Job:
    """Hold work that waits, who waits for it, and until when another process's lock is waited for."""

    work: Work
    caller: Caller
    until: float


class Writer:
    """Write, from the first `submit` to `close`, on a thread of its own.

    It is begun when it is needed: a host may open its storage, fork, and use it in each of its processes.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], file: DatabaseFile, wait: float) -> None:
        self._connect = connect
        self._file = file
        self._wait = wait
        self._connection: sqlite3.Connection | None = None
        self._log: tuple[Identity, Identity] | None = None
        # What comes together is queued together: it wakes the thread once.
        self._jobs: SimpleQueue[list[Job] | None] = SimpleQueue()
        # What event loops have asked for in this turn of theirs.
        self._held: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        self._is_closed = False
        self._thread: Thread | None = None
        self._lock = Lock()

    def submit(self, work: Work) -> Future[int]:
        """Queue work; its answer comes once it is on the disk, or the exception that kept it from getting there."""
        caller = callers.Thread()
        with self._lock:
            self._put([self._job(work, caller)])
        return caller.future

    def submit_here(self, work: Work) -> asyncio.Future[int]:
        """Queue work as `submit` does, for a task in the event loop that runs, once its others have had their turn.

        So what an event loop has read from many clients at once goes into one transaction. If the first were queued at
        once, the writer would begin with it alone, and take the interpreter from the loop to do so.
        """
        caller = callers.Task()
        with self._lock:
            job = self._job(work, caller)
            if caller.loop not in self._held:
                self._held[caller.loop] = []
                caller.loop.call_soon(self._release, caller.loop)
            self._held[caller.loop].append(job)
        return caller.future

    def _job(self, work: Work, caller: Caller) -> Job:
        if self._is_closed:
            raise sqlite3.ProgrammingError("the storage is closed")
        return Job(work, caller, monotonic() + self._wait)

    def _put(self, jobs: list[Job]) -> None:
        if self._thread is None:
            self._begin()
        self._jobs.put(jobs)

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._put_held(loop)

    def _put_held(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._held.pop(loop, [])
        for start in range(0, len(jobs), GROUP):
            self._put(jobs[start : start + GROUP])

    def close(self) -> None:
        """Write what is queued, and end."""
        with self._lock:
            self._is_closed = True
            self._end()

    def pause(self) -> None:
        """Write what is queued, close the file, and queue everything until `go_on`."""
        self._lock.acquire()
        self._end()

    def go_on(self) -> None:
        """Take work again."""
        self._lock.release()

    def _begin(self) -> None:
        # A daemon, so that a host which forgets `close` can end; what was acknowledged is on the disk by then.
        thread = Thread(target=self._run, name="oauthcore_sqlite writer", daemon=True)
        # If there can't be another thread now, this raises, and the next commit tries again.
        thread.start()
        self._thread = thread

    def _end(self) -> None:
        for loop in list(self._held):
            self._put_held(loop)
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
            self._disconnect()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            is_last = self._write(first)
            if is_last:
                return

    def _write(self, group: list[Job]) -> bool:
        """Write one group, and return whether it was the last one."""
        is_last = False
        waiting: list[Job] | None = None
        outcomes: Sequence[Outcome]
        try:
            connection = self._connected(group[0].until - monotonic())
            # This may wait for another process; commits that arrive meanwhile join the group.
            connection.execute("BEGIN IMMEDIATE")
            is_last = self._gather(group)
            waiting = who_waits(group)
            outcomes = [self._answer(connection, job) for job in waiting]
            self._check_file()
            connection.execute("COMMIT")
        except Exception as failure:  # a full disk, say: nothing was done, and all of them hear why
            self._abandon()
            waiting = who_waits(group) if waiting is None else waiting
            outcomes = [failure] * len(waiting)
        callers.tell((job.caller, outcome) for job, outcome in zip(waiting, outcomes, strict=True))
        return is_last

    def _connected(self, wait: float) -> sqlite3.Connection:
        """Return the connection, which waits so long for another process's lock."""
        if self._connection is None:
            self._connection = self._connect()
        # In milliseconds, and not for less than none (SQLite, PRAGMA busy_timeout).
        self._connection.execute(f"PRAGMA busy_timeout = {max(int(wait * 1000), 0)}").close()
        return self._connection

    def _check_file(self) -> None:
        """Raise `FileMoved` where what is about to be committed would be lost."""
        self._file.check()
        if self._log is None:  # the first transaction has made it
            self._log = self._file.log()
        self._file.check_log(self._log)

    def _disconnect(self) -> None:
        """Close the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._log = None

    def _answer(self, connection: sqlite3.Connection, job: Job) -> Outcome:
        """Do one job's work. A stored record that can't be read is found before anything is written: it is its own."""
        try:
            return job.work(connection)
        except ValueError as unreadable:
            return unreadable

    def _gather(self, group: list[Job]) -> bool:
        """Add waiting jobs to a group; return whether the end was reached."""
        with suppress(Empty):
            while len(group) < GROUP:
                jobs = self._jobs.get_nowait()
                if jobs is None:
                    return True
                group += jobs
        return False

    def _abandon(self) -> None:
        """Undo what the transaction did; a connection that can't even do that is replaced."""
        try:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()


def who_waits(group: Sequence[Job]) -> list[Job]:
    """Drop the jobs whose callers have given up; the others can't give up from now on."""
    return [job for job in group if job.caller.still_waits()]
