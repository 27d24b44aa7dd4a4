"""Contenders: scripts played all at once, on threads over a blocking storage and as tasks over an async one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from threading import Barrier, Thread
from time import sleep
from types import FrameType
from typing import Any, TypeAlias, TypeVar

from oauthcore.testing.call import Raised, Script

T = TypeVar("T")
Play: TypeAlias = Callable[[int, Script[Any]], Awaitable[Any]]
"""Plays the script of one contender to its result."""

# Longer than any operation takes. After this, a contender is waiting for something that will never happen.
PATIENCE = 60.0
# Long enough for a thread to start on the busiest machine.
STARTED = 60.0
# So often do threads give way in a race. Python's own interval of 5 ms would let most commits through undisturbed.
SWITCH_INTERVAL = 1e-5


def on_threads(play: Play, scripts: Sequence[Script[Any]], rooms: frozenset[str], race: int) -> list[Any]:
    """Play each script on a thread of its own, giving way in `rooms`; `race` is how often that was done before."""
    results: list[Any] = [_MISSING] * len(scripts)
    start = Barrier(len(scripts))

    def be(number: int, script: Script[Any]) -> None:
        """Run one thread."""
        giving_way = _GivingWay(rooms, race * len(scripts) + number)
        try:
            start.wait(STARTED)
            sys.setprofile(giving_way)
            results[number] = finished(play(number, script))
        except Exception as error:  # what the script itself asserts, above all
            results[number] = Raised(error)
        finally:
            sys.setprofile(None)

    threads = [Thread(target=be, args=pair, daemon=True) for pair in enumerate(scripts)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    finally:
        sys.setswitchinterval(interval)
    stuck = [number for number, result in enumerate(results) if result is _MISSING]
    if stuck:
        raise AssertionError(f"contenders {stuck} did not come back within {PATIENCE:.0f} s: a deadlock")
    return results


async def as_tasks(play: Play, scripts: Sequence[Script[Any]]) -> list[Any]:
    """Play each script as a task."""
    try:
        together = asyncio.gather(*(play(number, script) for number, script in enumerate(scripts)))
        return await asyncio.wait_for(together, PATIENCE)
    except TimeoutError:
        raise AssertionError(f"not all contenders came back within {PATIENCE:.0f} s: a deadlock") from None


async def broken_off(call: Coroutine[Any, Any, T], turns: int) -> T | None:
    """Await a call, and cancel it after so many turns of the event loop; give its answer where it had come by then."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    if not task.done():
        raise AssertionError(f"who was cancelled did not come back within {PATIENCE:.0f} s")
    return None if task.cancelled() else task.result()


def finished(coroutine: Any) -> Any:
    """Return what a coroutine comes to that waits for nothing, as those over a blocking storage do."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise AssertionError("the storage gave something to await, though none of its methods is an `async def`")


class _GivingWay:
    """Let other threads go first, now and then, between two steps of a storage's own code.

    Python switches threads so seldom that a storage which looks and then leaps would mostly get away with it. This is
    called at every call and return on its thread, whatever the tests are traced by.
    """

    __slots__ = ("_chance", "_rooms")

    def __init__(self, rooms: frozenset[str], seed: int) -> None:
        self._rooms = rooms
        self._chance = seed

    # No tracer follows what a profiler calls; the storages that look and then leap are caught by it, or not.
    def __call__(self, frame: FrameType, event: str, value: object) -> None:  # pragma: no cover
        """Let another thread run, one time in four."""
        if frame.f_globals.get("__name__") in self._rooms:
            # Any sequence does that differs from thread to thread and is the same in every run (Numerical Recipes).
            self._chance = (self._chance * 1_664_525 + 1_013_904_223) % 2**32
            if self._chance >> 30 == 0:
                sleep(0)


_MISSING = object()
