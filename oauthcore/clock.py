"""The clock, which the host passes to the server."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Return the time in seconds since the Unix epoch; `time.time` fits as it is.

    All workers that share a storage must have nearly the same time: lifetimes are compared across them.
    """

    def __call__(self) -> float:
        """Return seconds since the Unix epoch."""
