"""Start-time fair queueing (Goyal, Vin and Cheng, 1996), so that frequent requests of one do not delay the others.

Each waiting request belongs to one or more flows, such as an account and an address. Each flow's next turn is one step
after its last, so ninety requests of one flow are ninety steps behind each other, and a new flow starts at the front. A
request of several flows waits for the latest of their turns, while each of them is charged one step of its own: a flood
at one account does not make its address wait at all other accounts. When the queue is full, the request that is
furthest behind is dropped, not simply the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class _Waiting(Generic[T]):
    turn: float
    number: int
    item: T
    flows: tuple[str, ...] = ()
    step: float = 1.0


class FairQueue(Generic[T]):
    """Hold at most so many that wait."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: list[_Waiting[T]] = []
        self._last: dict[str, float] = {}
        self._now = 0.0
        self._number = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, item: T, flows: Sequence[str], step: float = 1.0) -> T | None:
        """Have an item wait; return the one that loses its place for it, perhaps the very same, None if none does.

        A smaller `step` is a larger share: with half of it a flow has two turns for one of the others.
        """
        turns = {flow: max(self._now, self._last.get(flow, 0.0)) + step for flow in flows}
        turn = max(turns.values(), default=self._now + step)
        self._number += 1
        self._waiting.append(_Waiting(turn, self._number, item, tuple(turns), step))
        self._last |= turns
        if len(self._waiting) <= self._places:
            return None
        loser = max(self._waiting, key=_order)
        self._leave(loser)
        return loser.item

    def next(self) -> T | None:
        """Return the request whose turn it is, and remove it from the queue; None if it is empty."""
        if not self._waiting:
            return None
        first = min(self._waiting, key=_order)
        self._waiting.remove(first)
        self._now = first.turn
        # A turn that has passed says nothing more of its flow, so no more flows are remembered than wait.
        self._last = {flow: turn for flow, turn in self._last.items() if turn > self._now}
        return first.item

    def remove(self, item: T) -> None:
        """Let an item go that waits no longer."""
        for waiting in self._waiting:
            if waiting.item is item:
                self._leave(waiting)
                return

    def _leave(self, waiting: _Waiting[T]) -> None:
        """Remove it, and give its flows back their step, since it was not served."""
        self._waiting.remove(waiting)
        for flow in waiting.flows:
            self._last[flow] = self._last.get(flow, self._now) - waiting.step


def _order(waiting: _Waiting[T]) -> tuple[float, int]:
    return waiting.turn, waiting.number
