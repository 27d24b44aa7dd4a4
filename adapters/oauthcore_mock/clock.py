"""The clock of a provider for tests: the system's time plus an offset that a test sets."""

from __future__ import annotations

import time


class Clock:
    """Return the time of an issuer in seconds since the epoch; a test moves it by `advance`.

    It reads `time.time` at each call, so a library that replaces that function moves it, too.
    """

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return time.time() + self._ahead

    @property
    def now(self) -> int:
        """Return the time in whole seconds, as in tokens."""
        return int(self())

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass at once; a negative number sets the clock back."""
        self._ahead += seconds

    def reset(self) -> None:
        """Return to the system's time."""
        self._ahead = 0.0
