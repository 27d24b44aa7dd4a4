"""Waiting for one thing after another, each with its own deadline, by a single timer.

`asyncio.timeout` sets a timer and cancels it again for each wait, and nearly every wait ends long before its deadline.
So the timer is left as it is unless it would fire too late: when it fires before the deadline, it is set again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    """A timer that was set."""

    def cancel(self) -> None:
        """Not go off."""


class Timers(Protocol):
    """The part of an event loop that has the time."""

    def time(self) -> float:
        """Return the event loop's time."""

    def call_at(self, when: float, callback: Callable[[], object], /) -> Timer:
        """Set a timer."""


class Patience:
    """Let one task wait, as often as it likes; to be closed at the end, since the event loop keeps the timer."""

    def __init__(self, loop: Timers) -> None:
        self._loop = loop
        self._awaited: asyncio.Future[Any] | None = None
        self._deadline = 0.0
        self._timer: Timer | None = None
        self._timer_at = 0.0

    @property
    def is_waiting(self) -> bool:
        """Return whether a reader waits."""
        return self._awaited is not None

    async def wait(self, awaited: asyncio.Future[T], deadline: float) -> T:
        """Wait for a future until then, in the event loop's time; raises `TimeoutError`, and has it cancelled."""
        self._awaited, self._deadline = awaited, deadline
        if self._timer is None or deadline < self._timer_at:
            self._set_timer()
        try:
            return await awaited
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            # Who waits may have been cancelled, too, and that is not for this to take back.
            if self.is_waiting or waiting is None or waiting.cancelling():
                raise
            raise TimeoutError from None
        finally:
            self._awaited = None

    def lose(self) -> None:
        """Wake the waiting reader."""
        if self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None

    def close(self) -> None:
        """Have no timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self.close()
        self._timer, self._timer_at = self._loop.call_at(self._deadline, self._look), self._deadline

    def _look(self) -> None:
        self._timer = None
        if self._awaited is None:  # the next reader sets it
            return
        if self._loop.time() < self._deadline:
            self._set_timer()
        else:
            self.lose()
