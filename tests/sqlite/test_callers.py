"""Who waits for a commit: threads are told one by one, and those of an event loop together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest
from typing_extensions import override

from oauthcore_sqlite.callers import Task, Thread, tell


class Counting(asyncio.SelectorEventLoop):
    """Count how often it is woken from elsewhere."""

    times_woken = 0

    @override
    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object, **how: object) -> asyncio.Handle:
        self.times_woken += 1
        return super().call_soon_threadsafe(callback, *args)


def in_counting_loop(tells: Callable[[list[Task]], None]) -> tuple[list[int | BaseException], int]:
    """Have three tasks wait in a loop; return what they were told, and how often the loop was woken for that."""
    with asyncio.Runner(loop_factory=Counting) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Counting)

        async def wait() -> list[int | BaseException]:
            tasks = [Task() for _ in range(3)]
            tells(tasks)
            return await asyncio.gather(*(task.future for task in tasks), return_exceptions=True)

        return runner.run(wait()), loop.times_woken


def test_those_of_an_event_loop_are_told_in_one_go() -> None:
    failure = ValueError("the third")

    told, times_woken = in_counting_loop(lambda tasks: tell(zip(tasks, (1, 0, failure), strict=True)))

    assert told == [1, 0, failure]
    assert times_woken == 1


def test_task_that_gave_up_keeps_the_others_waiting_for_nothing() -> None:
    def give_one_up(tasks: list[Task]) -> None:
        tell((task, 1) for task in tasks)
        tasks[0].future.cancel()

    told, _ = in_counting_loop(give_one_up)

    assert isinstance(told[0], asyncio.CancelledError)
    assert told[1:] == [1, 1]


def test_loop_that_is_closed_is_no_failure_of_whoever_tells() -> None:
    waiting = Thread()
    assert waiting.still_waits()

    async def wait() -> Task:
        return Task()

    abandoned = asyncio.run(wait())
    tell([(abandoned, 1), (waiting, 2)])

    assert waiting.future.result(0) == 2


def test_thread_hears_what_came_or_why_nothing_did() -> None:
    first, second = Thread(), Thread()
    assert first.still_waits() and second.still_waits()

    tell([(first, 1), (second, OSError("full"))])

    assert first.future.result(0) == 1
    with pytest.raises(OSError, match="full"):
        second.future.result(0)


def test_thread_that_gave_up_does_not_wait() -> None:
    waiting = Thread()
    waiting.future.cancel()

    assert not waiting.still_waits()
    with pytest.raises(CancelledError):
        waiting.future.result(0)


@pytest.mark.anyio
async def test_task_that_gave_up_does_not_wait() -> None:
    waiting = Task()
    assert waiting.still_waits()
    waiting.future.cancel()

    assert not waiting.still_waits()
