"""The writer: one thread, one connection, one transaction for every commit that waits (group commit).

A commit has to reach the disk before its answer is given, and that takes milliseconds, for one change as for a hundred.
So whatever has queued up while the last transaction was written goes into the next one together. Each commit is still
judged by its own preconditions, on what those before it left, and nobody is told anything before the disk has it all.

Where another process holds the file's lock, each commit waits for it no longer than its own time, which begins when it
is queued: those that were queued together fail together, and not one after the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import TypeAlias, assert_never

import attrs

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.kinds import BY_SUBJECT
from oauthcore.records.record import Record
from oauthcore.storage.codec import dump, load
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
    def of(cls, change: Change) -> Step:
        """Spell a change out; raises `ValueError` for what can't be stored, before anything is queued."""
        if isinstance(change, Insert):
            return cls(place_of(change.record), None, None, change.record, spelled(change.record))
        if isinstance(change, Require):
            body = spelled(change.record)
            return cls(place_of(change.record), change.record, body, change.record, body)
        if isinstance(change, Replace):
            return cls(place_of(change.old), change.old, spelled(change.old), change.new, spelled(change.new))
        if isinstance(change, Delete):
            return cls(place_of(change.record), change.record, spelled(change.record), None, None)
        assert_never(change)

    def holds(self, body: str | None) -> bool:
        """Tell whether what is stored is what has to be there."""
        if body is None or self.expected is None:
            return body is None and self.expected is None
        # Other text may still be the same record: an older version wrote it, before a field was added.
        return body == self.expected_body or load(type(self.expected), body) == self.expected


def spelled(record: Record) -> str:
    """Return a record's text; raises `ValueError` for characters that no file can hold (lone surrogates)."""
    body = dump(record)
    body.encode()
    return body


def place_of(record: Record) -> Place:
    """Return where a record is kept."""
    return type(record).__name__, record.key


def subject_of(record: Record) -> str | None:
    """Return the subject that a record is found by, if it is of a kind that is."""
    return record.subject if isinstance(record, BY_SUBJECT) else None


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
    """Hold work that waits, whom to tell, and until when another process's lock is waited for."""

    work: Work
    done: Future[int]
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
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._is_closed = False
        self._thread: Thread | None = None
        self._lock = Lock()

    def submit(self, work: Work) -> Future[int]:
        """Queue work; its answer comes once it is on the disk, or the exception that kept it from getting there."""
        job = Job(work, Future(), monotonic() + self._wait)
        with self._lock:
            if self._is_closed:
                raise sqlite3.ProgrammingError("the storage is closed")
            if self._thread is None:
                self._begin()
            self._jobs.put(job)
        return job.done

    def close(self) -> None:
        """Write what is queued, and end."""
        with self._lock:
            self._is_closed = True
            self._end()

    def pause(self) -> None:
        """Write what is queued, let go of the file, and take nothing more until `go_on`."""
        self._lock.acquire()
        self._end()

    def go_on(self) -> None:
        """Take work again."""
        self._lock.release()

    def _begin(self) -> None:
        # A daemon, so that a host which forgets `close` can end; what was acknowledged is on the disk by then.
        self._thread = Thread(target=self._run, name="oauthcore_sqlite writer", daemon=True)
        self._thread.start()

    def _end(self) -> None:
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

    def _write(self, first: Job) -> bool:
        """Write one group, and tell whether it was the last one."""
        group, is_last = [first], False
        try:
            connection = self._connected(first.until - monotonic())
            # Here another process may have to be waited for; so whoever comes meanwhile still goes along.
            connection.execute("BEGIN IMMEDIATE")
            is_last = self._gather(group)
            answers = [self._answer(connection, job) for job in group if job.done.set_running_or_notify_cancel()]
            self._check_file()
            connection.execute("COMMIT")
        except Exception as failure:  # a full disk, say: nothing was done, and all of them hear why
            self._abandon()
            for job in group:
                tell(job, failure)
        else:
            asked = [job for job in group if not job.done.cancelled()]
            for job, answer in zip(asked, answers, strict=True):
                if isinstance(answer, ValueError):
                    job.done.set_exception(answer)
                else:
                    job.done.set_result(answer)
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
        """Let go of the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._log = None

    def _answer(self, connection: sqlite3.Connection, job: Job) -> int | ValueError:
        """Do one job's work. A stored record that can't be read is found before anything is written: it is its own."""
        try:
            return job.work(connection)
        except ValueError as unreadable:
            return unreadable

    def _gather(self, group: list[Job]) -> bool:
        """Add what waits to a group; tell whether the end was met."""
        with suppress(Empty):
            while len(group) < GROUP:
                job = self._jobs.get_nowait()
                if job is None:
                    return True
                group.append(job)
        return False

    def _abandon(self) -> None:
        """Undo what the transaction did; a connection that can't even do that is replaced."""
        try:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()


def tell(job: Job, failure: Exception) -> None:
    """Tell whoever waits for a job why it was not done."""
    if job.done.running() or (not job.done.cancelled() and job.done.set_running_or_notify_cancel()):
        job.done.set_exception(failure)
