"""Clauses about one commit: what each change demands, what it does, and that they go together or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.client import Client
from oauthcore.records.record import Record
from oauthcore.testing.contract.clause import Terms
from oauthcore.testing.samples import FAR, sample
from oauthcore.testing.storage_probe import StorageProbe
from oauthcore.testing.telling import unlike

# Names that are not each other's, though a database may collate, trim, or compare no more than the beginning.
LITTLE = (
    ("a", "A"),
    ("a", "a "),
    ("a", "á"),
    ("á", "a\u0301"),
    ("ss", "ß"),
    ("1", "01"),
    ("", " "),
    ("x" * 70_000 + "y", "x" * 70_000 + "z"),
)


def fresh_storage_is_empty(probe: StorageProbe, terms: Terms) -> None:
    """A fresh storage has no record of any kind and nothing to purge, whatever was in the previous one."""
    for before in ("nothing", "a record of every kind"):
        for kind in terms.kinds:
            if probe.find(kind, "a") is not None:
                raise AssertionError(f"there is a {kind.__name__}; {before} was put into the one before")
        if probe.purge(2 * FAR, 10) != 0:
            raise AssertionError("there is something to purge")
        probe.put(*(sample(kind, "a") for kind in terms.kinds))
        probe.renew()


def insert_adds_record_or_fails_where_key_is_taken(probe: StorageProbe, terms: Terms) -> None:
    """`Insert` adds a record; it fails where one of its kind has the key, even an equal one."""
    for kind in terms.kinds:
        old, new = sample(kind, "a", 1), sample(kind, "a", 2)
        _demand(probe, Insert(old), True, old)
        _demand(probe, Insert(new), False, old)
        _demand(probe, Insert(old), False, old)


def replace_changes_record_or_fails_where_it_is_another(probe: StorageProbe, terms: Terms) -> None:
    """`Replace` puts a record in the place of another; it fails where that is missing or no longer the same."""
    for kind in terms.kinds:
        old, new, newer = (sample(kind, "a", number) for number in (1, 2, 3))
        _demand(probe, Replace(old, new), False, None, old)
        probe.put(old)
        _demand(probe, Replace(new, newer), False, old)
        _demand(probe, Replace(sample(kind, "a", 1), new), True, new)
        _demand(probe, Replace(old, newer), False, new)
        _demand(probe, Replace(new, new), True, new)


def require_changes_nothing_or_fails_where_record_is_another(probe: StorageProbe, terms: Terms) -> None:
    """`Require` changes nothing; it fails where the record is missing or no longer the same."""
    for kind in terms.kinds:
        old, new = sample(kind, "a", 1), sample(kind, "a", 2)
        _demand(probe, Require(old), False, None, old)
        probe.put(old)
        _demand(probe, Require(new), False, old)
        _demand(probe, Require(sample(kind, "a", 1)), True, old)


def delete_removes_record_or_fails_where_it_is_another(probe: StorageProbe, terms: Terms) -> None:
    """`Delete` removes a record; it fails where that is missing or no longer the same, and the key is free again."""
    for kind in terms.kinds:
        old, new = sample(kind, "a", 1), sample(kind, "a", 2)
        _demand(probe, Delete(old), False, None, old)
        probe.put(old)
        _demand(probe, Delete(new), False, old)
        _demand(probe, Delete(sample(kind, "a", 1)), True, None, old)
        _demand(probe, Insert(new), True, new)


def record_is_another_where_it_differs_by_little(probe: StorageProbe, terms: Terms) -> None:
    """A stored record that differs in a letter's case, an accent, a space or its end is not the expected one."""
    for name, other_name in LITTLE:
        client = Client(client_id="a", name=name)
        probe.put(client)
        _is_another(probe, Client(client_id="a", name=other_name), f"{other_name[-9:]!r} instead of {name[-9:]!r}")
        if not probe.tried(Delete(client)):
            raise AssertionError(f"a client named {name[-9:]!r} could not be deleted")


def commit_of_nothing_succeeds(probe: StorageProbe, terms: Terms) -> None:
    """A commit without changes is True."""
    if not probe.tried():
        raise AssertionError("a commit of nothing failed")


def failed_commit_does_nothing(probe: StorageProbe, terms: Terms) -> None:
    """A commit is all or nothing: if any of its changes fails, none of them is made."""
    kept, gone, mine = sample(Client, "kept", 1), sample(Client, "gone", 1), sample(Client, "mine", 1)
    probe.put(kept, gone)
    good: list[Change] = [
        Insert(mine),
        Replace(kept, sample(Client, "kept", 2)),
        Delete(gone),
        *(Insert(sample(kind, "more", 1)) for kind in terms.kinds),
    ]
    for failing in _failing(kept):
        for place in (0, 1, 2, len(good)):
            changes = [*good[:place], failing, *good[place:]]
            _is_refused(probe, changes, kept, gone, [mine, *(sample(kind, "more", 1) for kind in terms.kinds)])


def many_changes_go_together(probe: StorageProbe, terms: Terms) -> None:
    """A commit may have a hundred changes: all are made, or none because of the last one."""
    records = [sample(kind, f"{number}", 1) for kind in terms.kinds for number in range(-(-100 // len(terms.kinds)))]
    everything: list[Change] = [*map(Insert, records), Require(sample(Client, "missing"))]
    if probe.tried(*everything):
        raise AssertionError("a commit of a hundred changes succeeded, the last of which can't be made")
    for record in records:
        if probe.find(type(record), record.key) is not None:
            raise AssertionError(f"{record.key} is there though the commit failed")
    if not probe.tried(*map(Insert, records)):
        raise AssertionError("a hundred records that are not there could not be inserted")
    for record in records:
        found = probe.find(type(record), record.key)
        if found != record:
            raise AssertionError(f"the commit of a hundred changes succeeded, and {unlike(found, record)}")


def changes_see_those_before_them(probe: StorageProbe, terms: Terms) -> None:
    """Several changes of one record in one commit each see the results of those before them."""
    one, two, three = (sample(Client, "a", number) for number in (1, 2, 3))
    right: list[tuple[list[Change], Record | None, Record | None]] = [
        ([Insert(one), Require(one)], None, one),
        ([Insert(one), Replace(one, two)], None, two),
        ([Insert(one), Delete(one)], None, None),
        ([Insert(one), Replace(one, two), Require(two), Delete(two), Insert(three)], None, three),
        ([Replace(one, two), Replace(two, three)], one, three),
        ([Replace(one, two), Replace(two, one)], one, one),
        ([Require(one), Replace(one, two)], one, two),
        ([Require(one), Require(one)], one, one),
        ([Replace(one, two), Delete(two)], one, None),
        ([Delete(one), Insert(two)], one, two),
        ([Delete(one), Insert(one)], one, one),
        ([Require(one), Delete(one)], one, None),
    ]
    wrong: list[tuple[list[Change], Record | None]] = [
        ([Insert(one), Insert(one)], None),
        ([Insert(one), Insert(two)], None),
        ([Require(one), Insert(one)], None),
        ([Insert(one), Delete(two)], None),
        ([Replace(one, two), Replace(one, three)], one),
        ([Replace(one, two), Require(one)], one),
        ([Replace(one, two), Delete(one)], one),
        ([Delete(one), Delete(one)], one),
        ([Delete(one), Require(one)], one),
        ([Delete(one), Replace(one, two)], one),
    ]
    for changes, before, after in right:
        _play(probe, changes, before, after, True)
    for changes, before in wrong:
        _play(probe, changes, before, before, False)


def _is_another(probe: StorageProbe, other: Record, what: str) -> None:
    for change in (Require(other), Replace(other, other), Delete(other)):
        if probe.tried(change):
            raise AssertionError(f"{type(change).__name__} took {what} for what is there")


def _play(
    probe: StorageProbe, changes: list[Change], before: Record | None, after: Record | None, expected: bool
) -> None:
    if before is not None:
        probe.put(before)
    names = ", ".join(type(change).__name__ for change in changes)
    if probe.tried(*changes) is not expected:
        raise AssertionError(f"{names} on one record should have been {expected}")
    stored = probe.find(Client, "a")
    if stored != after:
        raise AssertionError(f"after {names} on one record {unlike(stored, after)}")
    if stored is not None and not probe.tried(Delete(stored)):
        raise AssertionError("the record that was found could not be deleted")


def _failing(kept: Record) -> Iterator[Change]:
    """Return a change of each sort that can't be made."""
    other, missing = sample(Client, kept.key, 9), sample(Client, "missing", 1)
    yield from (Insert(kept), Require(other), Replace(other, kept), Delete(other))
    yield from (Require(missing), Replace(missing, missing), Delete(missing))


def _is_refused(probe: StorageProbe, changes: list[Change], kept: Record, gone: Record, added: list[Record]) -> None:
    if probe.tried(*changes):
        raise AssertionError("a commit succeeded of which one change could not be made")
    if probe.find(Client, kept.key) != kept:
        raise AssertionError("a record was replaced by a commit that failed")
    if probe.find(Client, gone.key) != gone:
        raise AssertionError("a record was deleted by a commit that failed")
    for record in added:
        if probe.find(type(record), record.key) is not None:
            raise AssertionError("a record was inserted by a commit that failed")


def _demand(
    probe: StorageProbe, change: Change, expected: bool, after: Record | None, before: Record | None = None
) -> None:
    """Make one change, and look at its answer and at what is there afterwards."""
    record = after or before
    if record is None:
        raise AssertionError("nothing is demanded")
    done = probe.tried(change)
    if done is not expected:
        raise AssertionError(f"{type(change).__name__} was {done}, and should have been {expected}")
    stored = probe.find(type(record), record.key)
    if stored != after:
        raise AssertionError(f"after {type(change).__name__} {unlike(stored, after)}")


CLAUSES = (
    fresh_storage_is_empty,
    insert_adds_record_or_fails_where_key_is_taken,
    replace_changes_record_or_fails_where_it_is_another,
    require_changes_nothing_or_fails_where_record_is_another,
    delete_removes_record_or_fails_where_it_is_another,
    record_is_another_where_it_differs_by_little,
    commit_of_nothing_succeeds,
    failed_commit_does_nothing,
    many_changes_go_together,
    changes_see_those_before_them,
)
