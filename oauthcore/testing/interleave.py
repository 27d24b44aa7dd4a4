"""The third driver: a scheduler that runs flows over one storage in every order their effects could meet.

Stateless model checking. A flow can't be copied, so each schedule starts from a fresh world and replays a list of
choices, and the tree of choices is walked depth first. Two finds next to each other commute, since neither changes
anything: of the orders that differ only so, one stands for all (the one in which the lower-numbered flow goes first),
and `orders` counts them all. Everything else is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from oauthcore.drivers import World, answer_to
from oauthcore.effects import Effect, Find, FindOf, Flow

T = TypeVar("T")
Schedule: TypeAlias = tuple[int, ...]
"""Which flow takes the next step, step by step."""


@attrs.frozen
class Scene(Generic[T]):
    """Hold one fresh start: a world, and the flows that meet in it."""

    world: World
    flows: Sequence[Flow[T]]


@attrs.frozen
class Run(Generic[T]):
    """Hold one schedule as it went: the results in the order of the flows, and the story for a reader."""

    schedule: Schedule
    results: tuple[T, ...]
    world: World
    story: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen
class Exploration:
    """Count what was run: `schedules` one by one, and how many `orders` of steps they stand for."""

    schedules: int
    orders: int


class ScheduleFailed(AssertionError):
    """Tell which schedule broke the check, as a story, and how to run it again."""

    def __init__(self, schedule: Schedule, story: Sequence[str]) -> None:
        lines = "\n".join(f"  {step}" for step in story)
        super().__init__(f"the check fails in this schedule:\n{lines}\nreplay it with {schedule!r}")
        self.schedule = schedule


def explore(scene: Callable[[], Scene[T]], check: Callable[[Run[T]], None], *, limit: int = 1_000_000) -> Exploration:
    """Run every schedule and check each; raises `ScheduleFailed` for the first that breaks the check.

    `scene` makes a fresh world and fresh flows, the same each time but for the schedule. Raises `RuntimeError` where
    there are more than `limit` schedules, rather than to leave some out in silence.
    """
    pending: list[Schedule] = [()]
    schedules = 0
    lengths: list[tuple[tuple[int, bool], ...]] = []
    while pending:
        if schedules >= limit:
            raise RuntimeError(f"there are more than {limit} schedules; explore fewer flows at once")
        prefix = pending.pop()
        table = _Table(scene())
        for flow in prefix:
            table.step(flow)
        while choices := table.choices():
            pending.extend((*table.taken, other) for other in choices[1:])
            table.step(choices[0])
        if not table.is_done:
            # Only commuting repeats are left from here: this order is run as another one.
            continue
        schedules += 1
        lengths.append(tuple(table.kinds))
        run = table.run()
        try:
            check(run)
        except AssertionError as failure:
            raise ScheduleFailed(run.schedule, run.story) from failure
    return Exploration(schedules, sum(map(_orders, lengths)))


def replay(scene: Callable[[], Scene[T]], schedule: Schedule) -> Run[T]:
    """Run one schedule, as a failure names it."""
    table = _Table(scene())
    for flow in schedule:
        table.step(flow)
    return table.run()


class _Table(Generic[T]):
    """Play one schedule: each flow has its pending effect on the table, and a step answers one of them."""

    def __init__(self, scene: Scene[T]) -> None:
        self._world = scene.world
        self._flows = list(scene.flows)
        self._pending: list[Effect | None] = [None] * len(self._flows)
        self._results: dict[int, T] = {}
        self.taken: Schedule = ()
        self.kinds: list[tuple[int, bool]] = []
        self._story: list[str] = []
        for number in range(len(self._flows)):
            self._resume(number, None)

    def choices(self) -> list[int]:
        """Give the flows that may go next: all that wait, but for finds that would only repeat a commuting order."""
        waiting = [number for number, effect in enumerate(self._pending) if effect is not None]
        if not self.kinds or not self.kinds[-1][1]:
            return waiting
        last = self.kinds[-1][0]
        return [n for n in waiting if n >= last or not isinstance(self._pending[n], Find | FindOf)]

    @property
    def is_done(self) -> bool:
        """Tell whether every flow has come to its end."""
        return len(self._results) == len(self._flows)

    def step(self, number: int) -> None:
        """Answer the pending effect of one flow."""
        effect = self._pending[number]
        assert effect is not None
        result = answer_to(effect, self._world)
        self.taken = (*self.taken, number)
        self.kinds.append((number, isinstance(effect, Find | FindOf)))
        self._story.append(f"flow {number}: {_told(effect)} -> {_outlined(result)}")
        self._resume(number, result)

    def run(self) -> Run[T]:
        """Give the schedule as it went, once it is done."""
        results = tuple(self._results[number] for number in range(len(self._flows)))
        return Run(self.taken, results, self._world, tuple(self._story))

    def _resume(self, number: int, result: Any) -> None:
        try:
            self._pending[number] = self._flows[number].send(result)
        except StopIteration as end:
            self._pending[number] = None
            self._results[number] = end.value


def _orders(kinds: tuple[tuple[int, bool], ...]) -> int:
    """Count the orders a schedule stands for: the ways to merge each unbroken run of finds."""
    total, block = 1, dict[int, int]()
    for number, is_find in (*kinds, (-1, False)):
        if is_find:
            block[number] = block.get(number, 0) + 1
            continue
        ways = factorial(sum(block.values()))
        for count in block.values():
            ways //= factorial(count)
        total, block = total * ways, {}
    return total


def _told(effect: Effect) -> str:
    if isinstance(effect, Find):
        return f"find {effect.kind.__name__} {effect.key[:8]}"
    if isinstance(effect, FindOf):
        return f"find {effect.kind.__name__} of {effect.subject}"
    changes = getattr(effect, "changes", ())
    return f"{type(effect).__name__.lower()} " + ", ".join(type(change).__name__ for change in changes)


def _outlined(result: Any) -> str:
    state = getattr(result, "state", None)
    name = str(result) if result is None or isinstance(result, bool) else type(result).__name__
    return name if state is None else f"{name} ({state.value})"
