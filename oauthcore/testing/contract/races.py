"""Clauses about contenders: on threads over a blocking storage, as tasks over an async one, all at once.

A lost race is False and never an exception; False is never given where no precondition failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.client import Client
from oauthcore.testing.contract.clause import Terms
from oauthcore.testing.samples import sample
from oauthcore.testing.storage_probe import Call, Script, StorageProbe

# How often each contender counts up.
TURNS = 5


def deleted_by_one_of_many(probe: StorageProbe, terms: Terms) -> None:
    """Of many concurrent commits that delete one record, exactly one succeeds, and only its other changes are made."""
    _race(probe, terms, lambda key, number: [Delete(_at(key, 0))])


def replaced_by_one_of_many(probe: StorageProbe, terms: Terms) -> None:
    """Of many concurrent commits that replace one record, exactly one succeeds, and only its other changes are made."""
    _race(probe, terms, lambda key, number: [Replace(_at(key, 0), _at(key, number + 1))])


def inserted_by_one_of_many(probe: StorageProbe, terms: Terms) -> None:
    """Of many concurrent commits that insert one key, exactly one succeeds, and only its other changes are made."""
    _race(probe, terms, lambda key, number: [Insert(_at(f"{key} new", number))])


def opposite_orders_meet_without_deadlock(probe: StorageProbe, terms: Terms) -> None:
    """Of many concurrent commits that change the same records in two opposite orders, exactly one succeeds."""

    def changes(key: str, number: int) -> list[Change]:
        """Return one contender's."""
        both: list[Change] = [Replace(_at(name, 0), _at(name, number + 1)) for name in (key, f"{key} twin")]
        return both if number % 2 else both[::-1]

    _race(probe, terms, changes, twin=True)


def requirements_cross_only_once(probe: StorageProbe, terms: Terms) -> None:
    """Of two that change one record and require the other, and the other way round, exactly one succeeds."""

    def changes(key: str, number: int) -> list[Change]:
        """Return one contender's."""
        required, changed = (key, f"{key} twin") if number % 2 else (f"{key} twin", key)
        return [Require(_at(required, 0)), Replace(_at(changed, 0), _at(changed, number + 1))]

    _race(probe, terms, changes, twin=True)


def those_who_only_require_never_lose(probe: StorageProbe, terms: Terms) -> None:
    """Concurrent commits that only require the same record all succeed: none of their preconditions failed."""
    shared = _at("shared", 0)
    probe.put(shared)
    for turn in range(terms.rounds):
        keys = [f"{turn} {number}" for number in range(terms.contenders)]
        answers = probe.together(*[_once([Require(shared), Insert(_at(key, 1))]) for key in keys])
        if answers != [True] * len(keys):
            raise AssertionError(f"round {turn}: {answers}, where none had any reason to fail")


def no_update_is_lost(probe: StorageProbe, terms: Terms) -> None:
    """If many tasks increment one record, finding and replacing it until they succeed, no increment is lost."""
    numbers = [_at("counter", number) for number in range(terms.contenders * TURNS + 1)]
    probe.put(numbers[0])

    def count() -> Script[int]:
        """Count up, and give how many tries it took."""
        tries = 0
        for _ in range(TURNS):
            while True:
                tries += 1
                found = yield Call("find", (Client, "counter"))
                here = numbers.index(found)
                if (yield Call("commit", ((Replace(found, numbers[here + 1]),),))):
                    break
        return tries

    probe.together(*[count() for _ in range(terms.contenders)])
    reached = numbers.index(probe.find(Client, "counter") or numbers[0])
    if reached != len(numbers) - 1:
        raise AssertionError(f"{len(numbers) - 1} updates were acknowledged, and {reached} are there")


def _race(
    probe: StorageProbe, terms: Terms, changes: Callable[[str, int], list[Change]], *, twin: bool = False
) -> None:
    """Let contenders meet, round after round; each also inserts a trophy, so that half of a commit would be seen."""
    for turn in range(terms.rounds):
        key = f"round {turn}"
        probe.put(_at(key, 0), *([_at(f"{key} twin", 0)] if twin else ()))
        trophies = [_at(f"{key} trophy {number}", 1) for number in range(terms.contenders)]
        commits = (_once([*changes(key, number), Insert(trophy)]) for number, trophy in enumerate(trophies))
        answers = probe.together(*commits)
        if answers.count(True) != 1:
            raise AssertionError(f"round {turn}: {answers.count(True)} succeeded, and should have been one")
        there = [probe.find(Client, trophy.key) is not None for trophy in trophies]
        if there != answers:
            raise AssertionError(f"round {turn}: the answers were {answers}, and what is there is {there}")


def _once(changes: list[Change]) -> Script[Any]:
    return (yield Call("commit", (tuple(changes),)))


def _at(key: str, number: int) -> Client:
    return sample(Client, key, number)


CLAUSES = (
    deleted_by_one_of_many,
    replaced_by_one_of_many,
    inserted_by_one_of_many,
    opposite_orders_meet_without_deadlock,
    requirements_cross_only_once,
    those_who_only_require_never_lose,
    no_update_is_lost,
)
