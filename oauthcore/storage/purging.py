"""Purging: remove expired records, a batch at a time, for as long as a host runs.

A storage finds expired records by an index and removes a bounded number per call, with a pause between two batches, so
that no request waits for long. Any number of workers may purge at the same time; each finds fewer records. Not purging
is safe as well, since expired records are never used.

Records are kept for some minutes after they expire, because clocks differ: a worker whose clock is ahead must not
remove the record of a used assertion or code that another worker would still accept.

This module has no thread, task or timer; the host has them, and passes a function that waits.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from oauthcore.clock import Clock
from oauthcore.errors import ConfigurationError
from oauthcore.flow.storage import AsyncStorage, Storage

BATCH = 500
# How many seconds a record is kept after it has expired: five minutes, which is also the acceptable clock skew of
# Kerberos (RFC 4120 section 1.6).
LINGER = 300


def due(now: float) -> int:
    """Return the second before which records have to have expired to be removed now."""
    return int(now) - LINGER


def more_than_nothing(instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    """Return the number if it is more than 0; raises `ConfigurationError` otherwise."""
    if value <= 0:
        raise ConfigurationError(attribute.name, value, "use a number above 0")


@attrs.frozen(kw_only=True)
class Purging:
    """Remove expired records in the background.

    `report` is called after each batch with the number of removed records, or with the exception, and must not raise.
    After a full batch the next one follows `pause` seconds later; after a failure, or if nothing is left, `every`
    seconds later.
    """

    clock: Clock
    report: Callable[[int | Exception], object]
    every: float = attrs.field(default=60.0, validator=more_than_nothing)
    pause: float = attrs.field(default=0.05, validator=more_than_nothing)
    batch: int = attrs.field(default=BATCH, validator=more_than_nothing)

    def run(self, storage: Storage, wait: Callable[[float], object]) -> None:
        """Continue until `wait`, which is called with seconds, returns something true; `threading.Event.wait` fits."""
        came: int | Exception
        while True:
            try:
                came = storage.purge(due(self.clock()), self.batch)
            except Exception as failure:  # tried again later; requests that meet the failure report it themselves
                came = failure
            if wait(self._reported(came)):
                return

    async def arun(self, storage: Storage | AsyncStorage, wait: Callable[[float], Awaitable[object]]) -> None:
        """Continue until `wait` returns something true, or this is cancelled; `asyncio.sleep` fits."""
        came: int | Exception
        while True:
            try:
                removed = storage.purge(due(self.clock()), self.batch)
                came = await removed if inspect.isawaitable(removed) else removed
            except Exception as failure:  # likewise
                came = failure
            if await wait(self._reported(came)):
                return

    def _reported(self, came: int | Exception) -> float:
        """Report the result of a batch, and return for how many seconds to pause."""
        self.report(came)
        return self.pause if came == self.batch else self.every
