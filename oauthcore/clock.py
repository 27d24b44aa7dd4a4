"""What time it is, asked from outside."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tell the time in seconds since the Unix epoch; `time.time` fits as it is.

    Every worker that shares a storage must tell nearly the same time: lifetimes are compared across them.
    """

    def __call__(self) -> float:
        """Return seconds since the Unix epoch."""
