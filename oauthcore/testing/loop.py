"""An event loop on a thread of its own, which anybody can have coroutines run by: even within another loop.

An async storage keeps its connections on the loop that it was made on, and an async host has another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Run coroutines one by one, until the block ends."""

    def __init__(self) -> None:
        self._is_running = Event()
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Event
        self._thread = Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def __enter__(self) -> Loop:
        self._thread.start()
        self._is_running.wait()
        return self

    def __exit__(self, *_: object) -> None:
        # What is still under way is cancelled by `asyncio.run`, as it ends.
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine comes to."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _live(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._is_running.set()
        await self._end.wait()
