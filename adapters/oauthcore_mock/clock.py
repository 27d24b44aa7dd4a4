"""The clock of a provider for tests: the system's, and as much later as a test wants."""

from __future__ import annotations

import time


class Clock:
    """Tell the time of an issuer in seconds since the epoch; a test moves it by `advance`.

    It goes on by itself, as `time.time` does, which it reads at each call: a library that replaces that moves it, too.
    """

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return what time it is."""
        return time.time() + self._ahead

    @property
    def now(self) -> int:
        """Return what time it is in whole seconds, as tokens have it."""
        return int(self())

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once; fewer than 0 set the clock back, as that of a badly kept server is."""
        self._ahead += seconds

    def reset(self) -> None:
        """Tell the system's time again."""
        self._ahead = 0.0
