"""The third driver: a scheduler that runs flows over one storage, any storage, in every order their effects could meet.

Stateless model checking. A flow can't be copied, so each schedule starts from a fresh world and replays a list of
choices, and the tree of choices is walked depth first. Two steps that touch different records commute, and two finds
do: of the orders that differ only in such steps one stands for all, and `orders` counts them all. A flow whose turn
would only repeat such an order sleeps until something conflicts with its step (sleep sets: P. Godefroid,
Partial-Order Methods for the Verification of Concurrent Systems, 1996, chapter 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from oauthcore.flow.drivers import World, answer_to, run
from oauthcore.flow.effects import Effect, Flow
from oauthcore.storage.memory import MemoryStorage
from oauthcore.testing.footprint import Footprint, conflict, footprint_of, orders
from oauthcore.testing.storage_probe import Factory, MakeWorld, StorageProbe
from oauthcore.testing.subjects import flow_of
from oauthcore.testing.telling import effect_in_words, laid_out, outlined, reason_of

T = TypeVar("T")
P = TypeVar("P")
Drive: TypeAlias = Callable[[Flow[Any]], Any]
Schedule: TypeAlias = tuple[int, ...]
"""Which flow takes the next step, step by step."""


@attrs.frozen
class Scene(Generic[T]):
    """Hold one fresh start: a world, and the flows that meet in it.

    `prepared` is whatever the check wants to know of the start.
    """

    world: World
    flows: Sequence[Flow[T]]
    prepared: Any = None


@attrs.frozen
class Run(Generic[T]):
    """Hold one schedule as it went: the results in the order of the flows, and the story for a reader.

    `prepared` is what the flows were made of.
    """

    schedule: Schedule
    results: tuple[T, ...]
    world: World
    _events: Sequence[Callable[[], str]] = attrs.field(repr=False, alias="events")
    prepared: Any = attrs.field(default=None, repr=False)

    @property
    def story(self) -> tuple[str, ...]:
        """Return the schedule in words, a line for each step and each result."""
        return tuple(event() for event in self._events)


@attrs.frozen
class Exploration:
    """Count what was run: `schedules` one by one, and how many `orders` of steps they stand for.

    A check must not depend on the order of steps that touch different records, and the flows must share nothing but
    the world: such steps are run in one order alone.
    """

    schedules: int
    orders: int


class ScheduleFailed(AssertionError):
    """Tell which schedule broke the check or a flow, as a story, and how to run it again."""

    def __init__(self, schedule: Schedule, story: Sequence[str], reason: str = "", *, who: str = "the check") -> None:
        added = f"\nwith: {reason}" if reason else ""
        super().__init__(
            f"{who} fails in this schedule:\n{laid_out(story, 2)}{added}\nreplay it with schedule={schedule!r}"
        )
        self.schedule = schedule


def interleave(
    *flows: Callable[[P], Flow[T]],
    prepare: Callable[[Drive], P],
    check: Callable[[Run[T]], None],
    storage: Factory = MemoryStorage,
    world: MakeWorld = World,
    schedule: Schedule | None = None,
    limit: int = 1_000_000,
) -> Exploration:
    """Let flows meet over any storage in every order, as `explore` does; raises `ScheduleFailed`.

    Each schedule has a fresh storage of the factory's. `prepare` brings it to where the flows begin: it is given a
    function that runs a flow, and gives what each of `flows` is then made of, and what the check finds as `prepared`.
    It has to do the same each time, so its clock and entropy are fixed ones. `world` puts more around the storage.
    With `schedule` that one alone is run: a failure names it. Raises `ValueError` for one that the flows don't have.
    """

    def with_one(use: Callable[[Scene[T]], Any]) -> Any:
        """Set the scene over a storage that is there as long as it is used."""
        with StorageProbe(storage) as probe:
            around = world(probe.storage)
            prepared = prepare(lambda flow: run(flow, around))
            return use(Scene(around, [flow_of(make, prepared) for make in flows], prepared))

    if not flows:
        raise TypeError("there are no flows to run: hand over the functions that make them")
    if schedule is not None:
        return _replayed(with_one, schedule, check)
    return _explored(with_one, check, limit)


def explore(scene: Callable[[], Scene[T]], check: Callable[[Run[T]], None], *, limit: int = 1_000_000) -> Exploration:
    """Run every schedule and check each; raises `ScheduleFailed` for the first that breaks the check.

    `scene` makes a fresh world and fresh flows, the same each time but for the schedule. Raises `RuntimeError` if
    there are more than `limit` schedules, rather than to leave some out in silence.
    """
    return _explored(lambda use: use(scene()), check, limit)


def replay(scene: Callable[[], Scene[T]], schedule: Schedule) -> Run[T]:
    """Run one schedule, as a failure names it; raises `ValueError` for one that the flows don't have."""
    return _played(scene(), schedule).run()


WithOne: TypeAlias = Callable[[Callable[[Scene[T]], Any]], Any]
"""Sets a scene, has it used, and clears it away."""


def _explored(with_one: WithOne[T], check: Callable[[Run[T]], None], limit: int) -> Exploration:
    pending = [_Beginning()]
    schedules, all_orders = 0, 0
    while pending:
        if schedules >= limit:
            raise RuntimeError(f"there are more than {limit} schedules; explore fewer flows at once")
        others, stands_for = with_one(partial(_one_schedule, beginning=pending.pop(), check=check))
        pending.extend(others)
        schedules += stands_for > 0
        all_orders += stands_for
    return Exploration(schedules, all_orders)


@attrs.frozen
class _Beginning:
    """Hold how a schedule begins, and who sleeps then: their turn would repeat what is run elsewhere."""

    schedule: Schedule = ()
    asleep: frozenset[int] = frozenset()


def _one_schedule(
    scene: Scene[T], beginning: _Beginning, check: Callable[[Run[T]], None]
) -> tuple[list[_Beginning], int]:
    """Run the first schedule that begins so; give how the others begin, and how many orders it stands for."""
    table, asleep = _played(scene, beginning.schedule), beginning.asleep
    others: list[_Beginning] = []
    while choices := [number for number in table.waiting() if number not in asleep]:
        for place, other in enumerate(choices[1:], 1):
            sleepers = table.asleep_after(other, asleep.union(choices[:place]))
            others.append(_Beginning((*table.taken, other), sleepers))
        asleep = table.asleep_after(choices[0], asleep)
        table.step(choices[0])
    if not table.is_done:
        # Only repeats are left from here: this order is run as another one.
        return others, 0
    _check(table.run(), check)
    return others, orders(table.steps, len(scene.flows))


def _replayed(with_one: WithOne[T], schedule: Schedule, check: Callable[[Run[T]], None]) -> Exploration:
    with_one(lambda scene: _check(_played(scene, schedule).run(), check))
    return Exploration(1, 1)


def _played(scene: Scene[T], schedule: Schedule) -> _Table[T]:
    table = _Table(scene)
    for flow in schedule:
        table.step(flow)
    return table


def _check(run: Run[T], check: Callable[[Run[T]], None]) -> None:
    try:
        check(run)
    except Exception as failure:  # a check may raise what it likes: the story is told with it
        raise ScheduleFailed(run.schedule, run.story, reason_of(failure)) from failure


class _Table(Generic[T]):
    """Play one schedule: each flow has its pending effect on the table, and a step answers one of them."""

    def __init__(self, scene: Scene[T]) -> None:
        self._scene = scene
        self._flows = list(scene.flows)
        self._pending: list[Effect | None] = [None] * len(self._flows)
        self._results: dict[int, T] = {}
        self.taken: Schedule = ()
        self.steps: list[tuple[int, Footprint]] = []
        # Put in words only where a check fails: that takes as long as all the rest of a schedule.
        self._events: list[Callable[[], str]] = []
        for number in range(len(self._flows)):
            self._resume(number, None)

    def waiting(self) -> list[int]:
        """Return the flows that may go next."""
        return [number for number, effect in enumerate(self._pending) if effect is not None]

    def asleep_after(self, number: int, asleep: frozenset[int]) -> frozenset[int]:
        """Return the flows that stay asleep when one takes its step: those that don't conflict with it."""
        step = self._footprint(number)
        return frozenset(other for other in asleep if not conflict(self._footprint(other), step))

    @property
    def is_done(self) -> bool:
        """Return whether every flow has come to its end."""
        return len(self._results) == len(self._flows)

    def step(self, number: int) -> None:
        """Answer the pending effect of one flow; raises `ValueError` if it has none."""
        effect = self._pending[number] if number in range(len(self._flows)) else None
        if effect is None:
            raise ValueError(
                f"step {len(self.taken)} of the schedule is for flow {number}, which has none; {_UNSTEADY}"
            )
        result = answer_to(effect, self._scene.world)
        self.taken = (*self.taken, number)
        self.steps.append((number, footprint_of(effect)))
        self._events.append(lambda: f"flow {number}: {effect_in_words(effect)} -> {outlined(result)}")
        self._resume(number, result)

    def run(self) -> Run[T]:
        """Return the schedule as it went; raises `ValueError` if a flow still waits."""
        waiting = [
            f"flow {n} for: {effect_in_words(effect)}" for n, effect in enumerate(self._pending) if effect is not None
        ]
        if waiting:
            raise ValueError(f"the schedule {self.taken!r} ends, and {', '.join(waiting)} still waits; {_UNSTEADY}")
        results = tuple(self._results[number] for number in range(len(self._flows)))
        return Run(self.taken, results, self._scene.world, tuple(self._events), self._scene.prepared)

    def _footprint(self, number: int) -> Footprint:
        effect = self._pending[number]
        assert effect is not None
        return footprint_of(effect)

    def _resume(self, number: int, result: Any) -> None:
        try:
            self._pending[number] = self._flows[number].send(result)
        except StopIteration as end:
            self._pending[number] = None
            self._results[number] = result = end.value
            self._events.append(lambda: f"flow {number} gives {outlined(result)}")
        except Exception as failure:  # a flow that raises is a finding, too
            story = [event() for event in self._events]
            raise ScheduleFailed(self.taken, story, reason_of(failure), who=f"flow {number}") from failure


# What may be wrong where a schedule is not one of the flows'.
_UNSTEADY = "have the flows changed, or does what is prepared differ from time to time?"
