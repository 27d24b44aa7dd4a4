"""Clauses about time: how long a record stays, and what a purge takes.

A storage may forget a record by itself once its `expires_at` has passed by the clock on the wall, as those do that have
a lifetime for every key; until then, and where it is None, it may not. So nothing here demands that a record be there
which has expired.
"""

from __future__ import annotations

from typing import get_args, get_type_hints

from oauthcore.flow.outcome import Delete, Insert, Replace
from oauthcore.records.client import Client
from oauthcore.records.kinds import has_subject
from oauthcore.records.record import Record
from oauthcore.testing.contract.clause import Terms
from oauthcore.testing.samples import FAR, sample
from oauthcore.testing.storage_probe import Call, Script, StorageProbe
from oauthcore.testing.telling import brief, unlike

# Long ago, so that it has passed by any clock.
THEN = 1_000
# Where numbers of 32, 53 and 64 bits end: a client may be given tokens for as long as its operator likes.
EDGES = (2**32 - 1, 2**32, 2**33, 2**53 + 1, 2**63, 2**64)
# Before all of these, so that they are past and hold what a storage may get wrong about them.
PAST = (0, 1, 2**30)


def records_stay_until_they_expire(probe: StorageProbe, terms: Terms) -> None:
    """A record is kept until the second it expires, however far that is, and is returned with exactly that second."""
    for kind in terms.kinds:
        for expires_at in (*EDGES, *_never(kind)):
            record = sample(kind, f"{expires_at}", 1, expires_at=expires_at)
            probe.put(record)
            found = probe.find(kind, record.key)
            if found != record:
                raise AssertionError(f"of what expires at {expires_at} {unlike(found, record)}")
            if not probe.tried(Delete(record)):
                raise AssertionError(f"{brief(record)} was found, and could not be deleted")


def expired_record_is_whole_or_gone(probe: StorageProbe, terms: Terms) -> None:
    """An expired record may be inserted; it is then found and its key is taken, or it is gone and its key is free."""
    for kind in terms.kinds:
        for expires_at in PAST:
            record, other = (sample(kind, f"{expires_at}", number, expires_at=expires_at) for number in (1, 2))
            probe.put(record)
            found = probe.find(kind, record.key)
            if found not in (record, None):
                raise AssertionError(f"of what had expired {unlike(found, record)}")
            is_free = probe.tried(Insert(other))
            if is_free is not (found is None):
                raise AssertionError(
                    f"a {kind.__name__} that had expired was {'found' if found else 'not found'}, "
                    f"and its key was {'free' if is_free else 'taken'}"
                )


def purge_takes_what_has_expired_and_nothing_else(probe: StorageProbe, terms: Terms) -> None:
    """Repeated purges remove the records that expired before that second, of every kind, and no others."""
    for kind in terms.kinds:
        expired = [sample(kind, f"{second}", 1, expires_at=second) for second in (0, 1, THEN - 1)]
        at_the_edge = [sample(kind, f"{second}", 1, expires_at=second) for second in (THEN, THEN + 1)]
        kept = [sample(kind, "far", 1, expires_at=FAR), *(sample(kind, "never", 1, expires_at=n) for n in _never(kind))]
        probe.put(*expired, *at_the_edge, *kept)
        there = [record for record in (*expired, *at_the_edge) if probe.find(kind, record.key) is not None]
        purged = _purged(probe)
        due = [record for record in there if record in expired]
        if purged != len(due):
            raise AssertionError(f"{len(due)} records of {kind.__name__} had expired, and {purged} were purged")
        for record in due:
            if probe.find(kind, record.key) is not None:
                raise AssertionError(f"a {kind.__name__} was not purged that had expired")
        for record in (*kept, *(record for record in there if record not in expired)):
            found = probe.find(kind, record.key)
            if found != record:
                raise AssertionError(
                    f"a {kind.__name__} that expires at {record.expires_at} went when {THEN} was purged"
                )


def purge_keeps_to_its_limit(probe: StorageProbe, terms: Terms) -> None:
    """A purge removes at most `limit` records and returns how many; 0 or less removes none; the next continues."""
    records = [sample(Client, f"{number}", 1, expires_at=number) for number in range(25)]
    probe.put(*records)
    before = _there(probe, records)
    for none in (0, -1):
        if probe.purge(THEN, none) != 0:
            raise AssertionError(f"a purge of at most {none} told of more")
        if _there(probe, records) != before:
            raise AssertionError(f"a purge of at most {none} removed something")
    while before:
        removed = probe.purge(THEN, 10)
        after = _there(probe, records)
        if removed != before - after:
            raise AssertionError(f"a purge told of {removed}, and removed {before - after}")
        if removed != min(10, before):
            raise AssertionError(f"a purge of at most 10 removed {removed} of {before}")
        before = after
    if probe.purge(THEN, 10) != 0:
        raise AssertionError("a purge told of more than there was")


def purge_follows_every_change(probe: StorageProbe, terms: Terms) -> None:
    """A purge uses the current expiry of a record: a prolonged one is kept, a shortened one removed."""
    short, long = (sample(Client, "a", 1, expires_at=second) for second in (THEN - 1, FAR))
    cut, whole = (sample(Client, "b", 1, expires_at=second) for second in (THEN - 1, FAR))
    probe.put(short, whole)
    prolonged = probe.tried(Replace(short, long))
    if not probe.tried(Replace(whole, cut)):
        raise AssertionError("a record could not be replaced by one that expires earlier")
    _purged(probe)
    if probe.find(Client, "a") != (long if prolonged else None):
        raise AssertionError("a record was purged that had been prolonged")
    if probe.find(Client, "b") is not None:
        raise AssertionError("a record was not purged that had been cut short")


def purge_leaves_nothing_to_be_found_by_subject(probe: StorageProbe, terms: Terms) -> None:
    """Purged records are not found by their subject any more, nor is another record that has got the key meanwhile."""
    for kind in (kind for kind in terms.kinds if has_subject(kind)):
        probe.put(sample(kind, "a", 1, subject="alice", expires_at=THEN - 1))
        _purged(probe)
        if probe.find_of(kind, "alice"):
            raise AssertionError(f"a {kind.__name__} is found by subject that was purged")
        anothers = sample(kind, "a", 2, subject="bob")
        probe.put(sample(kind, "b", 1, subject="alice"), anothers)
        found = list(probe.find_of(kind, "alice"))
        if anothers in found:
            raise AssertionError(f"a {kind.__name__} is found by the subject of one that had its key before")
        if list(probe.find_of(kind, "bob")) != [anothers]:
            raise AssertionError(f"a {kind.__name__} is not found under a key used before")


def prolonging_and_purging_agree(probe: StorageProbe, terms: Terms) -> None:
    """If a record is prolonged while it is purged, one of the two happens, and the results say which."""
    for turn in range(terms.rounds):
        old, new = (sample(Client, f"{turn}", 1, expires_at=second) for second in (THEN - 1, FAR))
        probe.put(old)
        prolonged, *purged = probe.together(_prolong(old, new), *[_purge_once() for _ in range(3)])
        found = probe.find(Client, new.key)
        left = new if prolonged else None
        if sum(purged) > 1:
            raise AssertionError(f"round {turn}: one record was purged by {sum(purged)}")
        if found != left:
            raise AssertionError(f"round {turn}: prolonging was {prolonged}, and {unlike(found, left)}")


def _prolong(old: Client, new: Client) -> Script[bool]:
    done: bool = yield Call("commit", ((Replace(old, new),),))
    return done


def _purge_once() -> Script[int]:
    removed: int = yield Call("purge", (THEN, 100))
    return removed


def _purged(probe: StorageProbe) -> int:
    """Purge to the end, in batches."""
    total = 0
    while removed := probe.purge(THEN, 2):
        if not 0 < removed <= 2:
            raise AssertionError(f"a purge of at most 2 told of {removed}")
        total += removed
    return total


def _there(probe: StorageProbe, records: list[Client]) -> int:
    return sum(probe.find(type(record), record.key) is not None for record in records)


def _never(kind: type[Record]) -> tuple[None, ...]:
    """Return None if a kind may live for ever."""
    return (None,) if type(None) in get_args(get_type_hints(kind)["expires_at"]) else ()


CLAUSES = (
    records_stay_until_they_expire,
    expired_record_is_whole_or_gone,
    purge_takes_what_has_expired_and_nothing_else,
    purge_keeps_to_its_limit,
    purge_follows_every_change,
    purge_leaves_nothing_to_be_found_by_subject,
    prolonging_and_purging_agree,
)
