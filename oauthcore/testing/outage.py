"""Storage that fails on purpose: at every call in turn, before it did anything or after it did it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

import attrs

from oauthcore.flow.outcome import Change, R, S
from oauthcore.flow.storage import Storage

T = TypeVar("T")


class Down(Exception):
    """Be what a storage raises when it is not there."""


@attrs.define
class Outage:
    """Fail at call number `at`, counted from 0; with `after`, only once the call has been carried out."""

    storage: Storage
    at: int
    after: bool = False
    calls: int = 0

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Find, or fail."""
        return self._call(lambda: self.storage.find(kind, key))

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Find by subject, or fail."""
        return self._call(lambda: self.storage.find_of(kind, subject))

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit, or fail."""
        return self._call(lambda: self.storage.commit(changes))

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge, or fail."""
        return self._call(lambda: self.storage.purge(expired_before, limit))

    @property
    def happened(self) -> bool:
        """Return whether there was a call to fail at."""
        return self.calls > self.at

    def _call(self, call: Callable[[], T]) -> T:
        number = self.calls
        self.calls += 1
        if number != self.at:
            return call()
        if self.after:
            call()
        raise Down(f"call {number} failed")


def every_outage(storage: Callable[[], Storage]) -> Iterator[Outage]:
    """Return outages one by one, each over a fresh storage: every call failing before and after, until none is left.

    The caller runs its flow over each; the walk ends when a flow came through without meeting its outage.
    """
    for at in count():
        for after in (False, True):
            outage = Outage(storage(), at, after)
            yield outage
            if not outage.happened:
                return
