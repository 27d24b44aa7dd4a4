"""What a step of a flow reads and writes, and so which steps can be swapped without a difference.

Two steps of different flows commute if neither writes what the other reads or writes. Orders that differ only in such
steps are equivalent (a Mazurkiewicz trace), and only one of them is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

from oauthcore.flow.effects import Commit, Effect, Find, FindOf
from oauthcore.flow.outcome import Require, precondition_and_result

Place: TypeAlias = tuple[type[Any], str | None]
"""A record's kind and key; None for the key means all of the kind."""


@attrs.frozen
class Footprint:
    """Hold what a step reads and writes; `apart` is a step of unknown effect outside the storage."""

    reads: frozenset[Place] = frozenset()
    writes: frozenset[Place] = frozenset()
    apart: bool = False


def footprint_of(effect: Effect) -> Footprint:
    """Return what an effect reads and writes: of a commit, what it would if all its preconditions held."""
    if isinstance(effect, Find):
        return Footprint(reads=frozenset({(effect.kind, effect.key)}))
    if isinstance(effect, FindOf):
        return Footprint(reads=frozenset({(effect.kind, None)}))
    if not isinstance(effect, Commit):
        return Footprint(apart=True)
    reads, writes = set[Place](), set[Place]()
    for change in effect.changes:
        before, after = precondition_and_result(change)
        record = before or after
        assert record is not None
        (reads if isinstance(change, Require) else writes).add((type(record), record.key))
    return Footprint(frozenset(reads), frozenset(writes))


def conflict(one: Footprint, other: Footprint) -> bool:
    """Return whether it matters which of two steps goes first."""
    if one.apart or other.apart:
        # A find that nothing was written between sees the same whatever else is asked of the world.
        return bool((one.apart or one.writes) and (other.apart or other.writes))
    return not one.writes.isdisjoint(other.writes) or _sees(one, other) or _sees(other, one)


def _sees(reader: Footprint, writer: Footprint) -> bool:
    return any((kind, key) in reader.reads or (kind, None) in reader.reads for kind, key in writer.writes)


def orders(steps: Sequence[tuple[int, Footprint]], flows: int) -> int:
    """Count the orders that one stands for: those in which each flow keeps its own, and conflicts go the same way."""
    needs: list[list[Sequence[int]]] = [[] for _ in range(flows)]
    for place, (flow, step) in enumerate(steps):
        needs[flow].append(_needed(steps[:place], step, flows))
    # How many ways there are to have come so far, each flow.
    ways = {(0,) * flows: 1}
    for _ in steps:
        further: dict[tuple[int, ...], int] = {}
        for done, count in ways.items():
            for flow, rest in enumerate(needs):
                at = done[flow]
                if at < len(rest) and all(had >= need for had, need in zip(done, rest[at], strict=True)):
                    after = (*done[:flow], at + 1, *done[flow + 1 :])
                    further[after] = further.get(after, 0) + count
        ways = further
    return sum(ways.values())


def _needed(before: Sequence[tuple[int, Footprint]], step: Footprint, flows: int) -> Sequence[int]:
    """Return how many steps of each flow have to be done before a step: up to the last one that conflicts with it."""
    needed, seen = [0] * flows, [0] * flows
    for flow, other in before:
        seen[flow] += 1
        if conflict(step, other):
            needed[flow] = seen[flow]
    return needed
