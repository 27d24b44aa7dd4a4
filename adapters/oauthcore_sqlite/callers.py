"""The callers that wait for a commit, and how they get its result: a thread, or a task in an event loop.

Waking an event loop from another thread takes about as long as the work of a commit. So all callers of one loop are
woken together, once for each transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeAlias

Outcome: TypeAlias = int | Exception


class Thread:
    """A thread that waits."""

    def __init__(self) -> None:
        self.future: Future[int] = Future()

    def still_waits(self) -> bool:
        """Return whether it still waits; once this is called, it can't give up any more."""
        return self.future.set_running_or_notify_cancel()


class Task:
    """A task that waits in the event loop that runs."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[int] = self.loop.create_future()

    def still_waits(self) -> bool:
        """Return whether it still waits; from now on its change is made in any case."""
        return not self.future.cancelled()


Caller: TypeAlias = Thread | Task


def tell(outcomes: Iterable[tuple[Caller, Outcome]]) -> None:
    """Hand each caller its result."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], Outcome]]] = {}
    for caller, outcome in outcomes:
        if isinstance(caller, Task):
            by_loop.setdefault(caller.loop, []).append((caller.future, outcome))
        else:
            _settle(caller.future, outcome)
    for loop, outcomes_there in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed, and no task in it waits any more
            loop.call_soon_threadsafe(_settle_all, outcomes_there)


def _settle_all(outcomes: Iterable[tuple[asyncio.Future[int], Outcome]]) -> None:
    for future, outcome in outcomes:
        if not future.done():  # it may have given up meanwhile
            _settle(future, outcome)


def _settle(future: Future[int] | asyncio.Future[int], outcome: Outcome) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
