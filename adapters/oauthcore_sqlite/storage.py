"""The storage: finds aside, on connections of their own; commits through the writer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TypeVar

from oauthcore.errors import ConfigurationError
from oauthcore.flow.outcome import Change, R, S
from oauthcore.records.client import Client
from oauthcore.records.kinds import check_partition, kind_name
from oauthcore.storage.codec import load
from oauthcore_sqlite.database_file import DatabaseFile
from oauthcore_sqlite.forking import watch
from oauthcore_sqlite.readers import Readers
from oauthcore_sqlite.schema import Synchronous, connect_reader, connect_writer, is_busy, prepare
from oauthcore_sqlite.writer import BODY, Step, Work, Writer, apply, remove_expired

# How many seconds another process's transaction is waited for. One takes milliseconds; a backup may take longer.
WAIT = 10.0
# After how many seconds an async host tries again to find what another process has locked.
RETRY = 0.05
PAGE = 200

T = TypeVar("T")

_BY_SUBJECT = "SELECT body FROM record WHERE subject = ? AND kind = ?"
_NEXT = "SELECT key, body FROM record WHERE kind = ? AND key > ? ORDER BY key LIMIT ?"


@lru_cache(maxsize=256)
def _load_client(body: str) -> Client:
    # Nearly every request needs one of a few clients, and to read one takes longer than to find it. Records are frozen,
    # so that one may be handed out many times; and the text is the key, so that no change is ever missed.
    return load(Client, body)


class SqliteStorage:
    """Keep records in a SQLite file, for a blocking host; any number of threads and processes may share the file.

    With `synchronous` FULL, the default, a commit's True means that it is on the disk. NORMAL is faster and may lose
    the last commits when the power fails, though never when the process does. Raises `ConfigurationError` for a file
    that can't be used.

    Records of one `partition` are never found in another: several issuers may share a file, each with its own.

    A call that another process's lock has kept waiting for `wait` seconds raises `sqlite3.OperationalError`, and so
    does every call once the file is not the one that was opened any more.
    """

    def __init__(
        self, path: str | Path, *, synchronous: Synchronous = "FULL", wait: float = WAIT, partition: str = ""
    ) -> None:
        if str(path) in {"", ":memory:"}:
            raise ConfigurationError("storage", str(path), "name a file, or use MemoryStorage")
        check_partition(partition)
        self.path = Path(path)
        self.wait = wait
        self.partition = partition
        prepare(self.path, wait)
        file = DatabaseFile(self.path)
        self._readers = Readers(lambda: connect_reader(file.path, wait), file.check_sometimes)
        # They give up at once: for who has something else to do meanwhile.
        self._hasty_readers = Readers(lambda: connect_reader(file.path, 0), file.check_sometimes)
        self._writer = Writer(lambda: connect_writer(file.path, wait, synchronous), file, wait)
        watch(self._readers, self._hasty_readers, self._writer)

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        return _find(self._readers, kind, key, self.partition)

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        return _find_of(self._readers, kind, subject, self.partition)

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""
        return bool(self._writer.submit(apply(self._steps(changes))).result())

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second, and return how many."""
        return self._writer.submit(remove_expired(expired_before, limit)).result()

    def every(self, kind: type[R]) -> Iterator[R]:
        """Return every record of a kind, ordered by key: for an operator's lists, not for a request."""
        key = ""
        while rows := self._readers.query(_NEXT, (kind_name(kind, self.partition), key, PAGE)):
            yield from (load(kind, body) for _, body in rows)
            key = rows[-1][0]

    def expired(self, before: int) -> int:
        """Count the records that expired before that second: what a purge has to do."""
        ((count,),) = self._readers.query("SELECT count(*) FROM record WHERE expires_at < ?", (before,))
        return int(count)

    def close(self) -> None:
        """Write what is queued, and close the file."""
        self._writer.close()
        self._readers.close()
        self._hasty_readers.close()

    def _steps(self, changes: Sequence[Change]) -> list[Step]:
        return [Step.of(change, self.partition) for change in changes]


def _find(readers: Readers, kind: type[R], key: str, partition: str) -> R | None:
    rows = readers.query(BODY, (kind_name(kind, partition), key))
    if not rows:
        return None
    body = str(rows[0][0])
    return _load_client(body) if kind is Client else load(kind, body)  # type: ignore[return-value]  # R is Client


def _find_of(readers: Readers, kind: type[S], subject: str, partition: str) -> Sequence[S]:
    rows = readers.query(_BY_SUBJECT, (subject, kind_name(kind, partition)))
    return [load(kind, body) for (body,) in rows]


class AsyncSqliteStorage:
    """A `SqliteStorage` for an async host: commits are awaited, so that the event loop never waits for the disk.

    Finds are not handed to a thread: to find takes some microseconds, and the way to a thread and back takes more.
    Where another process has locked the file they are tried again in a while, and the event loop goes on meanwhile.
    """

    def __init__(self, storage: SqliteStorage) -> None:
        self.blocking = storage

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        blocking = self.blocking
        try:
            return _find(blocking._hasty_readers, kind, key, blocking.partition)
        except sqlite3.OperationalError:
            return await self._unlocked(lambda: _find(blocking._hasty_readers, kind, key, blocking.partition))

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        blocking = self.blocking
        return await self._unlocked(lambda: _find_of(blocking._hasty_readers, kind, subject, blocking.partition))

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""
        return bool(await self._written(apply(self.blocking._steps(changes))))

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second, and return how many."""
        return await self._written(remove_expired(expired_before, limit))

    async def _unlocked(self, find: Callable[[], T]) -> T:
        """Find, as soon as no other process keeps the file locked."""
        until: float | None = None
        while True:
            try:
                return find()
            except sqlite3.OperationalError as error:
                until = monotonic() + self.blocking.wait if until is None else until
                if not is_busy(error) or monotonic() >= until:
                    raise
            await asyncio.sleep(RETRY)

    async def _written(self, work: Work) -> int:
        return await self.blocking._writer.submit_here(work)
