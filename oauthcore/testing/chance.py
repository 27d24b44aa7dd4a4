"""Time and chance that do what a test says."""

from __future__ import annotations

import hashlib

import attrs


@attrs.define
class FixedClock:
    """Stand still at `now`, in seconds since the Unix epoch, until a test moves it."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass."""
        self.now += seconds


@attrs.define
class SeededEntropy:
    """Return bytes that differ at every call and are the same in every run: for tests only."""

    seed: int = 0
    calls: int = 0

    def __call__(self, size: int, /) -> bytes:
        """Return `size` bytes."""
        self.calls += 1
        return hashlib.shake_256(f"{self.seed}:{self.calls}".encode()).digest(size)
