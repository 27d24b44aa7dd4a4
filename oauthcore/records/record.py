"""The protocols of a record: what storage has to know of it."""

from __future__ import annotations

from typing import Protocol


class Record(Protocol):
    """Have a key to be found by and an expiry to be purged by: all that storage has to know of a record."""

    @property
    def key(self) -> str:
        """Return what the record is found by, unique within its kind."""

    @property
    def expires_at(self) -> int | None:
        """Return the second from which it may be purged, or None."""


class Owned(Record, Protocol):
    """Be found by a subject, too."""

    @property
    def subject(self) -> str:
        """Return whose it is."""
