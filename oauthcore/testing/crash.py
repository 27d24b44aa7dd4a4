"""Interruptions at every effect of a flow, before it is carried out and after: a killed process, or a lost response.

Two things can go wrong at each of them. The process ends, and only the storage remembers anything. Or the call fails:
the flow gets `EffectFailed`, and still has to return a response. `crash_points` tries all of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import attrs

from oauthcore.errors import EffectFailed
from oauthcore.flow.drivers import World, answer_to, run
from oauthcore.flow.effects import Effect, Flow
from oauthcore.storage.memory import MemoryStorage
from oauthcore.testing.interleave import Drive
from oauthcore.testing.storage_probe import Factory, MakeWorld, StorageProbe
from oauthcore.testing.subjects import flow_of
from oauthcore.testing.telling import effect_in_words, laid_out, outlined, reason_of

T = TypeVar("T")
P = TypeVar("P")
Moment: TypeAlias = Literal["before", "after"]
Mishap: TypeAlias = Literal["ends", "fails"]


@attrs.frozen
class Point:
    """Say where something goes wrong: at which effect, counted from 0, before or after it was answered, and what."""

    at: int
    moment: Moment
    mishap: Mishap


@attrs.frozen
class Crash(Generic[T]):
    """Hold one mishap: `result` is what the flow still gave, None if its process ended.

    `prepared` is what the flow was made of, `drive` runs another flow over what is left.
    """

    point: Point
    result: T | None
    prepared: Any = attrs.field(repr=False)
    drive: Drive = attrs.field(repr=False)
    story: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen
class CrashPoints:
    """Count what was tried: how many effects the flow came to, and how many points of them."""

    effects: int
    points: int


class CrashFailed(AssertionError):
    """Report which mishap broke the check or the flow, with the steps, and how to repeat it."""

    def __init__(self, point: Point, story: Sequence[str], reason: str, *, who: str = "the check") -> None:
        told_reason = f"\nwith: {reason}" if reason else ""
        super().__init__(f"{who} fails after this:\n{laid_out(story, 2)}{told_reason}\nreplay it with point={point!r}")
        self.point = point


def crash_points(
    flow: Callable[[P], Flow[T]],
    *,
    prepare: Callable[[Drive], P],
    check: Callable[[Crash[T]], None],
    storage: Factory = MemoryStorage,
    world: MakeWorld = World,
    point: Point | None = None,
) -> CrashPoints:
    """Stop a flow at every effect, before and after, and check what is left; raises `CrashFailed`.

    Each point has a fresh storage of the factory's; `prepare` and `world` are as for `interleave`. With `point` that
    one alone is tried: a failure names it. Raises `ValueError` for one that the flow does not come to.
    """

    def one(point: Point) -> bool:
        """Try one point, and return whether there was such an effect."""
        with StorageProbe(storage) as probe:
            around = world(probe.storage)
            drive: Drive = partial(run, world=around)
            prepared = prepare(drive)
            steps = _Steps(flow_of(flow, prepared), lambda effect: answer_to(effect, around))
            if not steps.until(point):
                return False
            _check(Crash(point, steps.result, prepared, drive, tuple(steps.story)), check)
            return True

    if point is not None:
        if not one(point):
            raise ValueError(f"the flow ends before effect {point.at}, counted from 0: has it changed?")
        return CrashPoints(point.at + 1, 1)
    effects = 0
    while all(one(Point(effects, moment, mishap)) for moment in MOMENTS for mishap in MISHAPS):
        effects += 1
    return CrashPoints(effects, effects * len(MOMENTS) * len(MISHAPS))


MOMENTS: Sequence[Moment] = ("before", "after")
MISHAPS: Sequence[Mishap] = ("ends", "fails")


class _Steps(Generic[T]):
    """Run one flow step by step."""

    def __init__(self, flow: Flow[T], answer: Callable[[Effect], Any]) -> None:
        self._flow = flow
        self._answer = answer
        self._resume: Callable[[], Effect] = lambda: flow.send(None)
        self.result: T | None = None
        self.story: list[str] = []

    def until(self, point: Point) -> bool:
        """Run, with that mishap; return whether the flow reached it."""
        number = 0
        while (effect := self._next(point)) is not None:
            if number == point.at:
                self._meet(effect, point)
                if point.mishap == "ends":
                    self._flow.close()
                    return True
            else:
                self._go(effect)
            number += 1
        return number > point.at

    def _next(self, point: Point) -> Effect | None:
        try:
            return self._resume()
        except StopIteration as end:
            self.result = end.value
            self.story.append(f"the flow gives {outlined(end.value)}")
            return None
        except Exception as failure:  # a flow that raises is a finding, too
            raise CrashFailed(point, self.story, reason_of(failure), who="the flow") from failure

    def _go(self, effect: Effect) -> None:
        answer = self._answer(effect)
        self.story.append(f"{effect_in_words(effect)} -> {outlined(answer)}")
        self._resume = lambda: self._flow.send(answer)

    def _meet(self, effect: Effect, point: Point) -> None:
        done = "it was not done"
        if point.moment == "after":
            done = f"it was done, and gave {outlined(self._answer(effect))}"
        ending = "the process ends here" if point.mishap == "ends" else "the call fails"
        self.story.append(f"{effect_in_words(effect)} -> {ending}; {done}")
        self._resume = lambda: self._flow.throw(EffectFailed(f"{type(effect).__name__} failed: on purpose"))


def _check(crash: Crash[T], check: Callable[[Crash[T]], None]) -> None:
    try:
        check(crash)
    except Exception as failure:  # a check may raise what it likes: the story is told with it
        raise CrashFailed(crash.point, crash.story, reason_of(failure)) from failure
