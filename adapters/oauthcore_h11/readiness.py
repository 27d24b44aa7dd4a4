"""Whether the storage takes writes: by writing, since a full disk and a full Redis answer every find.

Everybody may ask for readiness, and monitoring does so every few seconds. So each process writes one small record over
and over, one write at a time, and a write that was made is believed for a while; each question costs a find.
"""

from __future__ import annotations

import asyncio

import attrs

from oauthcore import Client
from oauthcore.clock import Clock
from oauthcore.digest import Digest
from oauthcore.entropy import Entropy
from oauthcore.flow.outcome import Insert, Replace
from oauthcore.flow.storage import AsyncStorage

# For how many seconds a successful write counts; a failed one is tried again at the next request.
WRITE_EVERY = 5.0
# Seconds until the record of a process that has ended may be purged.
KEPT = 3600


@attrs.frozen(kw_only=True)
class Probe:
    """Remember when a process last tried whether the storage takes writes (seconds since the epoch)."""

    key: Digest
    written_at: int
    expires_at: int


class Readiness:
    """Try whether a storage can be read and written."""

    def __init__(self, storage: AsyncStorage, *, clock: Clock, entropy: Entropy) -> None:
        self._storage = storage
        self._clock = clock
        self._entropy = entropy
        self._one_at_a_time = asyncio.Lock()
        self._written_at: float | None = None
        self._probe: Probe | None = None

    async def check(self) -> None:
        """Find something, and write where that was not done lately; raises whatever keeps the storage from it."""
        await self._storage.find(Client, "")
        async with self._one_at_a_time:
            now = self._clock()
            # A clock that was set back is no reason to believe a write for longer.
            if self._written_at is None or not 0 <= now - self._written_at < WRITE_EVERY:
                self._written_at = None
                await self._write(int(now))
                self._written_at = now

    async def _write(self, now: int) -> None:
        known = self._probe
        if known is not None:
            self._probe = attrs.evolve(known, written_at=now, expires_at=now + KEPT)
            if await self._storage.commit((Replace(known, self._probe),)):
                return
        # The record was purged, or the result of the last write is unknown: a new record avoids any conflict.
        probe = Probe(key=Digest(self._entropy(32).hex()), written_at=now, expires_at=now + KEPT)
        if not await self._storage.commit((Insert(probe),)):
            raise RuntimeError("the storage refused a record with a new key")
        self._probe = probe
