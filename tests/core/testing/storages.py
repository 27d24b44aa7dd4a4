"""Storages that keep the contract of storage, and others that each break it in one way somebody has broken it."""

# mypy: disable-error-code="explicit-override"
# Python 3.11 has no `override`, and here nearly every method is one.

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar, cast

import attrs

from oauthcore import Client, Scope
from oauthcore.flow.outcome import Change, Delete, Insert, R, Replace, Require, precondition_and_result
from oauthcore.records.kinds import BY_SUBJECT
from oauthcore.records.record import Record
from oauthcore.testing import StorageUnderTest

T = TypeVar("T")
Place = tuple[type[Record], str]


class Sound:
    """Keep records for an async host, rightly: what is broken below is broken by one method."""

    def __init__(self) -> None:
        self.records: dict[Place, Record] = {}
        self.lock = asyncio.Lock()

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        await asyncio.sleep(0)
        return cast("R | None", self.records.get(self.place(kind, key)))

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        await asyncio.sleep(0)
        return [r for r in self.records.values() if isinstance(r, kind) and self.subject(r.subject) == subject]

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit, under a lock."""
        async with self.lock:
            written = self.judged(changes)
            if written is None:
                return False
            await asyncio.sleep(0)
            await self.write(written)
            return True

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        async with self.lock:
            places = self.expired(expired_before, limit)
            for place in places:
                del self.records[place]
            return len(places)

    def place(self, kind: type[Record], key: str) -> Place:
        """Return where a record is."""
        return kind, key

    def subject(self, subject: str) -> str:
        """Return what a subject is compared by."""
        return subject

    def judged(self, changes: Sequence[Change]) -> dict[Place, Record | None] | None:
        """Return what is to be written, or None where a precondition fails."""
        written: dict[Place, Record | None] = {}
        for change in changes:
            expected, after = precondition_and_result(change)
            record = after or expected
            assert record is not None
            place = self.place(type(record), record.key)
            if not self.fits(change, expected, written[place] if place in written else self.records.get(place)):
                return None
            written[place] = after
        return written

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Return whether a precondition holds."""
        return stored == expected

    async def write(self, written: dict[Place, Record | None]) -> None:
        """Write all at once."""
        for place, record in written.items():
            self.write_one(place, record)

    def write_one(self, place: Place, record: Record | None) -> None:
        """Write one."""
        self.records.pop(place, None)
        if record is not None:
            self.records[place] = record

    def expired(self, expired_before: int, limit: int) -> list[Place]:
        """Return what a purge takes."""
        return [place for place, r in self.records.items() if self.is_expired(r, expired_before)][: max(limit, 0)]

    def is_expired(self, record: Record, expired_before: int) -> bool:
        """Return whether a purge takes it."""
        return record.expires_at is not None and record.expires_at < expired_before


class NotFresh(Sound):
    """Start with what another test has left."""

    def __init__(self) -> None:
        super().__init__()
        self.records[Client, "a"] = Client(client_id="a")


class InsertsOver(Sound):
    """Insert over what is there: the upsert that is at hand."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        return isinstance(change, Insert) or stored == expected


class ReplacesByKey(Sound):
    """Replace whatever is under the key: UPDATE … WHERE key = ?."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        return stored is not None if isinstance(change, Replace) else stored == expected


class RequiresAny(Sound):
    """Require that something is there, whatever it is."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        return stored is not None if isinstance(change, Require) else stored == expected


class DeletesLeniently(Sound):
    """Delete what is not there, and call it done."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        return stored == expected or (isinstance(change, Delete) and stored is None)


class ComparesColumns(Sound):
    """Compare what has a column of its own."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        return self.columns(stored) == self.columns(expected)

    def columns(self, record: Record | None) -> object:
        """Return them."""
        return record and (record.expires_at, getattr(record, "state", None), getattr(record, "name", None))


class ComparesWhatIsShown(Sound):
    """Compare records by how they look, though some fields have no repr."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        return repr(stored) == repr(expected)


class NothingFails(Sound):
    """Take a commit of nothing for one that did nothing."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return bool(changes) and await super().commit(changes)


class SaysOne(Sound):
    """Return the number of rows where True or False is meant."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return cast("bool", len(changes)) if await super().commit(changes) else False


class CommitsInParts(Sound):
    """Make changes one by one until one fails."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        for change in changes:
            if not await super().commit([change]):
                return False
        return True


class CommitsInBatches(Sound):
    """Cut a commit that is too long for one statement, and send the parts one by one."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        parts = [changes[start : start + 50] for start in range(0, len(changes), 50)] or [[]]
        return all([await super(CommitsInBatches, self).commit(part) for part in parts])


class JudgesBefore(Sound):
    """Judge every change by what was there before the commit."""

    def judged(self, changes: Sequence[Change]) -> dict[Place, Record | None] | None:
        """Judge."""
        written: dict[Place, Record | None] = {}
        for change in changes:
            one = super().judged([change])
            if one is None:
                return None
            written |= one
        return written


class OneKeyForAllKinds(Sound):
    """Keep all kinds under one key."""

    def place(self, kind: type[Record], key: str) -> Place:
        """Return where a record is."""
        return Client, key


class FoldsKeys(Sound):
    """Compare keys as databases do whose collation is for people."""

    def place(self, kind: type[Record], key: str) -> Place:
        """Return where a record is."""
        return kind, key.casefold().rstrip(" ")


class ChokesOnLongKeys(Sound):
    """Raise for a key that its column could not hold."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        if len(key) > 255:
            raise OverflowError("value too long for type character varying(255)")
        return await super().find(kind, key)


class PagesOfFifty(Sound):
    """Return the first page of what is somebody's."""

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        return (await super().find_of(kind, subject))[:50]


class IndexesInserts(Sound):
    """Keep an index by subject, and forget to follow what is replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[Place, str] = {}

    def write_one(self, place: Place, record: Record | None) -> None:
        """Write one."""
        super().write_one(place, record)
        if isinstance(record, BY_SUBJECT):
            self.index.setdefault(place, record.subject)

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        places = [place for place, owner in self.index.items() if owner == subject and place[0] is kind]
        return [self.records[place] for place in places if place in self.records]


class FoldsSubjects(Sound):
    """Compare subjects without their case."""

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        return await super().find_of(kind, subject.casefold())

    def subject(self, subject: str) -> str:
        """Return what a subject is compared by."""
        return subject.casefold()


class SortsScopes(Sound):
    """Keep a scope as the set that it is by meaning."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        record: Any = await super().find(kind, key)
        scope = getattr(record, "scope", None)
        return record if scope is None else cast("R", attrs.evolve(record, scope=Scope(tuple(sorted(scope)))))


class ChangesNames(Sound):
    """Change a client's name on its way."""

    def kept(self, name: str) -> str:
        """Return what is kept of a name."""
        return unicodedata.normalize("NFC", name)

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        record: Any = await super().find(kind, key)
        if not isinstance(record, Client) or record.name is None:
            return cast("R | None", record)
        return cast("R", attrs.evolve(record, name=self.kept(record.name)))


class CutsLists(Sound):
    """Keep what a column has room for."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        record: Any = await super().find(kind, key)
        is_long = isinstance(record, Client) and len(record.redirect_uris) > 100
        return cast("R", attrs.evolve(record, redirect_uris=record.redirect_uris[:100])) if is_long else record


class SecondsOf32Bits(Sound):
    """Keep a time in a column of 32 bits."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        record: Any = await super().find(kind, key)
        if record is None or record.expires_at is None:
            return cast("R | None", record)
        return cast("R", attrs.evolve(record, expires_at=min(record.expires_at, 2**32 - 1)))


class RefusesExpired(Sound):
    """Refuse a record that has expired already."""

    def fits(self, change: Change, expected: Record | None, stored: Record | None) -> bool:
        """Judge."""
        after = precondition_and_result(change)[1]
        return stored == expected and (after is None or after.expires_at is None or after.expires_at > 10**9)


class PurgesTheEdge(Sound):
    """Purge what expires in that very second, too."""

    def is_expired(self, record: Record, expired_before: int) -> bool:
        """Return whether a purge takes it."""
        return record.expires_at is not None and record.expires_at <= expired_before


class PurgesWhatNeverExpires(Sound):
    """Take no expiry for the earliest."""

    def is_expired(self, record: Record, expired_before: int) -> bool:
        """Return whether a purge takes it."""
        return (record.expires_at or 0) < expired_before


class PurgesWithoutLimit(Sound):
    """Purge all there is."""

    def expired(self, expired_before: int, limit: int) -> list[Place]:
        """Return what a purge takes."""
        return super().expired(expired_before, 10**9)


class PurgesByFirstExpiry(Sound):
    """Purge by the expiry that a record had when it was inserted."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[Place, int | None] = {}

    def write_one(self, place: Place, record: Record | None) -> None:
        """Write one."""
        super().write_one(place, record)
        if record is not None:
            self.first.setdefault(place, record.expires_at)

    def is_expired(self, record: Record, expired_before: int) -> bool:
        """Return whether a purge takes it."""
        expires_at = self.first[type(record), record.key]
        return expires_at is not None and expires_at < expired_before


class LeavesIndex(IndexesInserts):
    """Purge records, and leave them in the index: what is there is told as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.once: dict[Place, Record] = {}

    def write_one(self, place: Place, record: Record | None) -> None:
        """Write one."""
        super().write_one(place, record)
        if record is not None:
            self.once[place] = record

    async def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        return [self.once[place] for place, owner in self.index.items() if owner == subject and place[0] is kind]


class PurgesWhatItSaw(Sound):
    """Look what has expired, and delete it later, whatever it has become."""

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        places = self.expired(expired_before, limit)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len([self.records.pop(place, None) for place in places])


class LooksThenLeaps(Sound):
    """Judge, wait, and write: the lost update."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        written = self.judged(changes)
        await asyncio.sleep(0)
        if written is not None:
            await self.write(written)
        return written is not None


class RaisesWhenLate(LooksThenLeaps):
    """Raise where somebody else was first."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        if self.judged(changes) is None:
            return False
        await asyncio.sleep(0)
        if not await Sound.commit(self, changes):
            raise RuntimeError("could not serialize access due to concurrent update")
        return True


class LocksAsTheyCome(Sound):
    """Lock records one by one in the order of the changes."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: dict[Place, asyncio.Lock] = {}

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        held: list[asyncio.Lock] = []
        try:
            for change in changes:
                record = precondition_and_result(change)[1] or precondition_and_result(change)[0]
                assert record is not None
                lock = self.locks.setdefault((type(record), record.key), asyncio.Lock())
                if lock not in held:
                    await lock.acquire()
                    held.append(lock)
                await asyncio.sleep(0)
            return await super().commit(changes)
        finally:
            for lock in held:
                lock.release()


class SkewsWrites(Sound):
    """Judge again, under a lock, what is written, and not what is only required."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        if self.judged(changes) is None:
            return False
        await asyncio.sleep(0)
        return await super().commit([change for change in changes if not isinstance(change, Require)])


class LosesWhenBusy(Sound):
    """Return False where another is at work."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return not self.lock.locked() and await super().commit(changes)


class WritesOneByOne(Sound):
    """Write one by one, where others can see it."""

    async def write(self, written: dict[Place, Record | None]) -> None:
        """Write."""
        for place, record in written.items():
            self.write_one(place, record)
            await asyncio.sleep(0)
            await asyncio.sleep(0)


class ShowsWhatFails(Sound):
    """Write as it judges, and take it back where a later change can't be made: reading what was not committed."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        async with self.lock:
            before = dict(self.records)
            for change in changes:
                written = self.judged([change])
                if written is None:
                    await asyncio.sleep(0)
                    self.records = before
                    return False
                await self.write(written)
            return True


class CountsWhatItSaw(Sound):
    """Tell of what was to be purged, whoever has removed it meanwhile."""

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        places = self.expired(expired_before, limit)
        await asyncio.sleep(0)
        async with self.lock:
            for place in set(places) & set(self.expired(expired_before, limit)):
                del self.records[place]
        return len(places)


class Caches(Sound):
    """Be a handle that remembers what it has found."""

    def __init__(self, engine: Sound) -> None:
        super().__init__()
        self.records, self.lock = engine.records, engine.lock
        self.known: dict[Place, Record] = {}

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        if (kind, key) in self.known:
            return cast("R", self.known[kind, key])
        found = await super().find(kind, key)
        if found is not None:
            self.known[kind, key] = found
        return found


def cached() -> StorageUnderTest:
    """Return two handles that remember."""
    engine = Sound()
    return StorageUnderTest(Caches(engine), Caches(engine))


class Severable(Sound):
    """Be on a connection that can be cut: calls then raise until it is made anew, by the next call."""

    def __init__(self) -> None:
        super().__init__()
        self.cuts = 0

    def sever(self) -> None:
        """Cut."""
        self.cuts += 1

    async def over(self, call: Callable[[], Any]) -> Any:
        """Make a call over the connection; a cut before it is told once."""
        cuts = self.cuts
        await asyncio.sleep(0)
        if cuts != self.cuts:
            raise ConnectionResetError
        return await call()

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        return cast("R | None", await self.over(lambda: super(Severable, self).find(kind, key)))

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return bool(await self.over(lambda: super(Severable, self).commit(changes)))


class NeverRecovers(Severable):
    """Keep to the connection it had."""

    async def over(self, call: Callable[[], Any]) -> Any:
        """Make a call over the connection."""
        if self.cuts:
            raise ConnectionResetError
        return await call()


class BreaksInTheMiddle(Severable):
    """Have no transaction: what was written before the cut stays."""

    async def write(self, written: dict[Place, Record | None]) -> None:
        """Write."""
        cuts = self.cuts
        for place, record in written.items():
            if cuts != self.cuts:
                raise ConnectionResetError
            self.write_one(place, record)
            for _ in range(5):
                await asyncio.sleep(0)


class ForgetsConditions(Severable):
    """Send a commit again after a cut, without asking whether it still may be made."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        written = self.judged(changes)
        try:
            return await super().commit(changes)
        except ConnectionResetError:
            if written is not None:
                await self.write(written)
            return written is not None


def severable(kind: Callable[[], Severable]) -> Callable[[], StorageUnderTest]:
    """Return such a storage with its hook."""

    def made() -> StorageUnderTest:
        storage = kind()
        return StorageUnderTest(storage, sever=storage.sever)

    return made


class SoundOnThreads:
    """Keep records for a blocking host: a dozen lines on a dict with a lock."""

    def __init__(self) -> None:
        self.records: dict[Place, Record] = {}
        self.lock = Lock()

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        return cast("R | None", self.records.get((kind, key)))

    def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        with self.lock:
            return [r for r in self.records.values() if isinstance(r, kind) and r.subject == subject]

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        with self.lock:
            return self.judged_and_written(changes)

    def judged_and_written(self, changes: Sequence[Change]) -> bool:
        """Commit, whoever holds the lock."""
        copy = dict(self.records)
        for change in changes:
            expected, after = precondition_and_result(change)
            record = after or expected
            assert record is not None
            if copy.pop((type(record), record.key), None) != expected:
                return False
            if after is not None:
                copy[type(record), record.key] = after
        self.pause()
        self.records = copy
        return True

    def pause(self) -> None:
        """Do what takes time between judging and writing."""

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        with self.lock:
            old = [p for p, r in self.records.items() if r.expires_at is not None and r.expires_at < expired_before]
            taken = set(old[: max(limit, 0)])
            self.records = {place: r for place, r in self.records.items() if place not in taken}
            return len(taken)


class LooksThenLeapsOnThreads(SoundOnThreads):
    """Judge and write without a lock, and do nothing that would make it easier to be found out."""

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return self.judged_and_written(changes)


class LooksAtWhatChanges(SoundOnThreads):
    """Go through a dict by subject while others put something into it."""

    def find_of(self, kind: type[Any], subject: str, /) -> Sequence[Any]:
        """Find by subject."""
        return [r for r in self.records.values() if isinstance(r, kind) and self.owner(r) == subject]

    def owner(self, record: Any) -> str:
        """Return whose it is."""
        return str(record.subject)

    def judged_and_written(self, changes: Sequence[Change]) -> bool:
        """Write where everybody looks."""
        before = self.records
        if not super().judged_and_written(changes):
            return False
        after, self.records = self.records, before
        for place in {**before, **after}:
            if place in after:
                before[place] = after[place]
            else:
                del before[place]
        return True
