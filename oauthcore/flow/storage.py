"""What storage has to do: find one record, commit some changes, purge what has expired.

A storage decides nothing about security. It keeps four promises instead: a commit is all or nothing; it returns True
only when the changes are there to stay; it returns False, and has done nothing, when a precondition failed; and
where it can't keep the first three it raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from oauthcore.flow.outcome import Change, R, S


class Storage(Protocol):
    """Keep records for a blocking host."""

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind, one of `BY_SUBJECT`, with that subject, in any order."""

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second (none if it is 0 or less); return how many."""


class AsyncStorage(Protocol):
    """Keep records for an async host: the same four, awaited."""

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind, one of `BY_SUBJECT`, with that subject, in any order."""

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second (none if it is 0 or less); return how many."""


@attrs.frozen
class DurabilityWarning:
    """Name a setting of a storage that may lose what was committed, its value, and what to do about it."""

    setting: str
    value: str
    remedy: str

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Say it in a sentence."""
        return f"{self.setting} is {self.value}: {self.remedy}"
