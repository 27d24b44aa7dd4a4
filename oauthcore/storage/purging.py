"""Purging: what has expired is removed, a batch at a time, for as long as a host runs.

A storage removes by an index and is asked for a bounded number, so that no request waits long for a batch; between two
batches there is a pause, so that whoever waits gets a turn. Any number of workers may do so at once: whoever comes
second finds less to remove, or nothing. Where nobody does nothing is unsafe, as nothing is live after it has expired.

What has expired is left for some minutes, as clocks differ: who is ahead must not forget that an assertion was used, or
a code, while another worker still takes it.

There is no thread here, no task and no timer: a host has them, and hands in how it waits.
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
# For how many seconds a record stays after it has expired. Five minutes are what Kerberos allows for (RFC 4120 section
# 1.6).
LINGER = 300


def due(now: float) -> int:
    """Return before which second a record has to have expired to be removed."""
    return int(now) - LINGER


def more_than_nothing(instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    """Check a number that has to be more than 0; raises `ConfigurationError`."""
    if value <= 0:
        raise ConfigurationError(attribute.name, value, "use a number that is more than 0")


@attrs.frozen(kw_only=True)
class Purging:
    """Remove expired records in the background.

    `report` is called for each batch with how many records it removed, or with what went wrong, and must not raise. A
    storage that fails is asked again `every` seconds later, as it is where nothing more has expired. After a full batch
    it is asked again after `pause` seconds.
    """

    clock: Clock
    report: Callable[[int | Exception], object]
    every: float = attrs.field(default=60.0, validator=more_than_nothing)
    pause: float = attrs.field(default=0.05, validator=more_than_nothing)
    batch: int = attrs.field(default=BATCH, validator=more_than_nothing)

    def run(self, storage: Storage, wait: Callable[[float], object]) -> None:
        """Go on until `wait`, which is called with seconds, gives something true: `threading.Event.wait` fits."""
        came: int | Exception
        while True:
            try:
                came = storage.purge(due(self.clock()), self.batch)
            except Exception as failure:  # the next time it may be better, and requests say themselves that it is not
                came = failure
            if wait(self._reported(came)):
                return

    async def arun(self, storage: Storage | AsyncStorage, wait: Callable[[float], Awaitable[object]]) -> None:
        """Go on until what `wait` gives is true, or this is cancelled: `asyncio.sleep` fits."""
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
        """Tell what came of a batch, and give for how many seconds to rest."""
        self.report(came)
        return self.pause if came == self.batch else self.every
