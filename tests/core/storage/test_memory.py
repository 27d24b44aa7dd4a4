"""Records in memory: the contract of storage, kept."""

from __future__ import annotations

from threading import Barrier, Thread

import attrs
import pytest

from oauthcore import MemoryStorage, Scope
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.grant import Consent, Grant
from tests.processes import PATIENCE


@attrs.frozen
class Thing:
    """Be a record."""

    key: str
    value: int = 0
    expires_at: int | None = None


@attrs.frozen
class Other:
    """Be a record of another kind."""

    key: str
    expires_at: int | None = None


A, B = Thing("a"), Thing("b")
A1 = Thing("a", 1)


def test_a_record_is_found_by_kind_and_key() -> None:
    storage = MemoryStorage([A, Other("a")])

    assert storage.find(Thing, "a") is A
    assert storage.find(Other, "a") == Other("a")
    assert storage.find(Thing, "b") is None
    assert len(storage) == 2


@pytest.mark.parametrize(
    ("change", "after"),
    [(Insert(B), {A, B}), (Replace(A, A1), {A1}), (Require(A), {A}), (Delete(A), set())],
)
def test_a_change_whose_precondition_holds_is_made(change: Change, after: set[Thing]) -> None:
    storage = MemoryStorage([A])

    assert storage.commit((change,)) is True

    assert {record for record in (storage.find(Thing, key) for key in "ab") if record is not None} == after


@pytest.mark.parametrize(
    "change",
    [Insert(A), Insert(A1), Replace(A1, A), Require(A1), Delete(A1), Replace(B, B), Require(B), Delete(B)],
)
def test_a_change_whose_precondition_fails_changes_nothing_of_the_whole_commit(change: Change) -> None:
    storage = MemoryStorage([A])

    assert storage.commit((Insert(Other("x")), Delete(A), Insert(A), change)) is False

    assert storage.find(Thing, "a") is A
    assert len(storage) == 1


def test_a_change_sees_what_the_changes_before_it_did() -> None:
    storage = MemoryStorage()

    assert storage.commit((Insert(A), Replace(A, A1), Require(A1), Delete(A1), Insert(B))) is True

    assert storage.find(Thing, "a") is None
    assert storage.find(Thing, "b") == B


def test_an_equal_record_is_as_good_as_the_same() -> None:
    storage = MemoryStorage([Thing("a", 5)])

    assert storage.commit((Replace(Thing("a", 5), Thing("a", 6)),)) is True


def test_a_commit_of_nothing_is_done() -> None:
    assert MemoryStorage().commit(()) is True


def test_of_many_threads_that_consume_one_record_one_succeeds() -> None:
    for _ in range(20):
        storage, start, results = MemoryStorage([A]), Barrier(8), list[bool]()

        def consume(storage: MemoryStorage = storage, start: Barrier = start, results: list[bool] = results) -> None:
            start.wait(PATIENCE)
            results.append(storage.commit((Delete(A), Insert(B))))

        threads = [Thread(target=consume) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)

        assert sorted(results) == [False] * 7 + [True]


@pytest.mark.parametrize(("limit", "purged"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_a_purge_is_bounded_and_takes_only_what_has_expired(limit: int, purged: int) -> None:
    storage = MemoryStorage([Thing("a", 0, 9), Thing("b", 0, 8), Thing("c", 0, 10), Thing("d", 0, None)])

    assert storage.purge(10, limit) == purged

    assert len(storage) == 4 - purged
    assert storage.find(Thing, "c") is not None
    assert storage.find(Thing, "d") is not None


def test_grants_are_found_by_their_person() -> None:
    mine, other = grant_of("alice", "1"), grant_of("bob", "2")
    storage = MemoryStorage([mine, other, A])

    assert list(storage.find_of(Grant, "alice")) == [mine]
    assert list(storage.find_of(Consent, "alice")) == []


def grant_of(subject: str, key: str) -> Grant:
    return Grant(
        key=Digest(key), client_id="c", subject=subject, scope=Scope(), auth_time=None, granted_at=0, expires_at=1
    )
