"""An async storage for tests that are written once: each call is awaited on an event loop of its own, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from threading import Thread
from typing import Any, TypeVar

from oauthcore.flow.outcome import Change, R, S
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage
from tests.processes import PATIENCE

T = TypeVar("T")


class Loop:
    """Run an event loop in a thread, so that any thread may wait for what happens on it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever)
        self._thread.start()

    def wait(self, what: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(60)

    def close(self) -> None:
        """End it."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


class Awaited:
    """Be a blocking storage over an async one."""

    def __init__(self, storage: AsyncSqlAlchemyStorage, loop: Loop) -> None:
        self.storage = storage
        self._loop = loop

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Find, and wait for it."""
        return self._loop.wait(self.storage.find(kind, key))

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Find by subject, and wait for it."""
        return self._loop.wait(self.storage.find_of(kind, subject))

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit, and wait for it."""
        return self._loop.wait(self.storage.commit(changes))

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge, and wait for it."""
        return self._loop.wait(self.storage.purge(expired_before, limit))

    def every(self, kind: type[R]) -> list[R]:
        """Return every record of a kind, once all are there."""

        async def collect() -> list[R]:
            return [record async for record in self.storage.every(kind)]

        return self._loop.wait(collect())

    def expired(self, before: int) -> int:
        """Count, and wait for it."""
        return self._loop.wait(self.storage.expired(before))

    def close(self) -> None:
        """Let go of the connections, and wait for it."""
        self._loop.wait(self.storage.close())
