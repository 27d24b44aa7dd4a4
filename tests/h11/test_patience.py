"""Waiting by one timer: each wait ends at its own time, whenever the timer was set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs
import pytest

from oauthcore_h11.patience import Patience

pytestmark = pytest.mark.anyio


@attrs.define
class Timer:
    """Be what was set, until it is cancelled or has gone off."""

    when: float
    callback: Callable[[], object]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clockwork:
    """Be the part of an event loop that has the time, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object], /) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    @property
    def pending(self) -> list[float]:
        """Return for when there are timers."""
        return [timer.when for timer in self.timers if not timer.is_cancelled]

    async def passes_until(self, now: float) -> None:
        """Let the time pass, and whoever waits for something have a turn before and after that."""
        await asyncio.sleep(0)
        self.now = now
        due = [timer for timer in self.timers if timer.when <= now and not timer.is_cancelled]
        for timer in due:
            timer.cancel()
            timer.callback()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
def loop() -> Clockwork:
    return Clockwork()


@pytest.fixture
def patience(loop: Clockwork) -> Patience:
    return Patience(loop)


def something() -> asyncio.Future[str]:
    return asyncio.get_running_loop().create_future()


async def waits(patience: Patience, awaited: asyncio.Future[str], deadline: float) -> asyncio.Task[str]:
    """Have a task wait."""
    waiting = asyncio.ensure_future(patience.wait(awaited, deadline))
    await asyncio.sleep(0)
    return waiting


async def test_what_comes_in_time_is_returned(patience: Patience) -> None:
    awaited = something()
    waiting = await waits(patience, awaited, 10)
    assert patience.is_waiting
    awaited.set_result("came")

    assert await waiting == "came"
    assert not patience.is_waiting


async def test_what_does_not_come_in_time_is_cancelled(patience: Patience, loop: Clockwork) -> None:
    awaited = something()
    waiting = await waits(patience, awaited, 10)
    await loop.passes_until(10)

    with pytest.raises(TimeoutError):
        await waiting
    assert awaited.cancelled()


async def test_later_waits_need_no_timer_of_their_own(patience: Patience, loop: Clockwork) -> None:
    for deadline in range(10, 110):
        awaited = something()
        waiting = await waits(patience, awaited, deadline)
        awaited.set_result("came")
        await waiting

    assert [timer.when for timer in loop.timers] == [10]


async def test_timer_that_goes_off_too_early_is_set_again(patience: Patience, loop: Clockwork) -> None:
    first = something()
    first.set_result("came")
    await (await waits(patience, first, 10))
    waiting = await waits(patience, something(), 20)

    await loop.passes_until(10)
    assert not waiting.done()
    await loop.passes_until(20)

    with pytest.raises(TimeoutError):
        await waiting


async def test_wait_that_ends_before_the_timer_ends_in_time(patience: Patience, loop: Clockwork) -> None:
    first = something()
    first.set_result("came")
    await (await waits(patience, first, 75))
    waiting = await waits(patience, something(), 10)

    await loop.passes_until(10)

    with pytest.raises(TimeoutError):
        await waiting
    assert loop.pending == []


async def test_timer_goes_off_for_nobody_and_is_set_by_who_waits_next(patience: Patience, loop: Clockwork) -> None:
    first = something()
    first.set_result("came")
    await (await waits(patience, first, 10))
    await loop.passes_until(15)
    assert loop.pending == []

    waiting = await waits(patience, something(), 20)
    await loop.passes_until(20)

    with pytest.raises(TimeoutError):
        await waiting


async def test_patience_that_is_lost_is_so_at_once(patience: Patience) -> None:
    patience.lose()  # nobody waits yet
    waiting = await waits(patience, something(), 10)
    patience.lose()

    with pytest.raises(TimeoutError):
        await waiting


async def test_what_has_come_in_the_moment_the_time_is_over_is_returned(patience: Patience, loop: Clockwork) -> None:
    awaited = something()
    waiting = await waits(patience, awaited, 10)
    awaited.set_result("came")
    patience.lose()

    assert await waiting == "came"


async def test_task_that_is_cancelled_hears_of_no_timeout(patience: Patience) -> None:
    waiting = await waits(patience, something(), 10)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not patience.is_waiting


async def test_task_that_is_cancelled_in_the_moment_the_time_is_over_is_cancelled(patience: Patience) -> None:
    waiting = await waits(patience, something(), 10)
    patience.lose()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_closing_leaves_no_timer_behind(patience: Patience, loop: Clockwork) -> None:
    awaited = something()
    awaited.set_result("came")
    await (await waits(patience, awaited, 10))
    patience.close()

    assert loop.pending == []
