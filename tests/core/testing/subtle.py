"""Storages that keep the contract as long as nobody looks closely: each is broken in one way that matters."""

# mypy: disable-error-code="explicit-override"
# Python 3.11 has no `override`, and here nearly every method is one.

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from oauthcore.flow.outcome import Change, R
from oauthcore.records.kinds import BY_SUBJECT
from oauthcore.records.record import Record
from oauthcore.storage.codec import dump
from oauthcore.testing import StorageUnderTest
from tests.core.testing.storages import Place, Sound


class ComparesWithoutCase(Sound):
    """Compare a record's text by a collation that is for people."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        if expected is None or stored is None:
            return stored == expected
        return dump(stored).casefold() == dump(expected).casefold()


class ComparesTheBeginning(Sound):
    """Compare as much of a record's text as an index takes."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        if expected is None or stored is None:
            return stored == expected
        return dump(stored)[:3_000] == dump(expected)[:3_000]


class HidesExpired(Sound):
    """Find only what has not expired: WHERE expires_at > now(); its key is taken all the same."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        record: Any = await super().find(kind, key)
        is_expired = record is not None and record.expires_at is not None and record.expires_at <= 2**30
        return None if is_expired else cast("R", record)


class IndexesByKey(Sound):
    """Keep an index of keys by subject, and forget it when records are purged: it leads to whoever is there now."""

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[str, set[Place]] = {}

    def write_one(self, place: Place, record: Record | None) -> None:
        """Write one."""
        if isinstance(old := self.records.get(place), BY_SUBJECT):
            self.index[old.subject].discard(place)
        super().write_one(place, record)
        if isinstance(record, BY_SUBJECT):
            self.index.setdefault(record.subject, set()).add(place)

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        places = sorted(self.index.get(subject, ()), key=lambda place: place[1])
        return [self.records[place] for place in places if place[0] is kind and place in self.records]


class RemembersLists(Sound):
    """Remember what was found by subject, until it writes itself."""

    def __init__(self, other: Sound | None = None) -> None:
        super().__init__()
        if other is not None:
            self.records, self.lock = other.records, other.lock
        self.lists: dict[tuple[type[Any], str], Sequence[Any]] = {}

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        self.lists.clear()
        return await super().commit(changes)

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        if (kind, subject) not in self.lists:
            self.lists[kind, subject] = await super().find_of(kind, subject)
        return self.lists[kind, subject]


def with_lists() -> StorageUnderTest:
    """Return two handles that each remember."""
    one = RemembersLists()
    return StorageUnderTest(one, RemembersLists(one))


class IsLeftHalfDone(Sound):
    """Write record by record, which nobody sees who waits for the lock; who is cancelled leaves it at that."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        async with self.lock:
            return await super().find(kind, key)

    async def write(self, written: dict[Place, Record | None]) -> None:
        """Write."""
        for place, record in written.items():
            self.write_one(place, record)
            await asyncio.sleep(0)


class KeepsItsLock(Sound):
    """Take a lock, and let go of it at the end, which who is cancelled never comes to."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        await self.lock.acquire()
        written = self.judged(changes)
        if written is not None:
            await asyncio.sleep(0)
            await self.write(written)
        self.lock.release()
        return written is not None


class ChokesOnNul(Sound):
    """Raise for what its database can't write down."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        if "\0" in key:
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        key.encode()
        return await super().find(kind, key)


class TakesMinusOneForAll(Sound):
    """Hand a limit on to a database for which a negative one is none."""

    def expired(self, expired_before: int, limit: int) -> list[Place]:
        """Return what a purge takes."""
        return super().expired(expired_before, limit if limit >= 0 else 10**9)
