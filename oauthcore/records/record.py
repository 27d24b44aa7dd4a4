"""What storage has to know of a record."""

from __future__ import annotations

from typing import Protocol


class Record(Protocol):
    """Be findable by key and purgeable by time: all that storage has to know of a record."""

    @property
    def key(self) -> str:
        """Return what the record is found by, unique within its kind."""

    @property
    def expires_at(self) -> int | None:
        """Return the second from which it may be purged, or None."""


class Owned(Record, Protocol):
    """Be a record that is found by its subject, too."""

    @property
    def subject(self) -> str:
        """Return whose it is."""
