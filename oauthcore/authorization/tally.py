"""Tallies: how often something was done from an address or by a user, in records that all workers count in together.

A count is a precondition of the commit that answers. Of a thousand requests that are sent at once, no more are answered
than of a thousand that are sent one after another.
"""

from __future__ import annotations

from typing import Literal

import attrs

from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import TooManyAttempts
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Insert, Replace, Require
from oauthcore.records.device import DeviceCount


@attrs.frozen
class Tally:
    """Hold how often something was done, at most how often it may be, and for how many seconds it is counted.

    `before` is the record as it was found, None if there is none.
    """

    key: Digest
    most: int
    window: int
    before: DeviceCount | None

    def check(self, now: int) -> None:
        """Raise `TooManyAttempts` if it was done often enough."""
        if self.before is not None and now < self.before.expires_at and self.before.count >= self.most:
            raise TooManyAttempts("too much of this came from one user or address", self.before.expires_at - now)

    def one_more(self, now: int) -> Change:
        """Return the change that counts one more."""
        return self._counted(1, now)

    def unchanged(self, now: int) -> Change:
        """Return the change that counts nothing, and fails if something is counted meanwhile."""
        # Absence is required, too: otherwise the right one of many guesses would not meet the wrong ones.
        if self.before is not None and now < self.before.expires_at:
            return Require(self.before)
        return self._counted(0, now)

    def _counted(self, more: int, now: int) -> Change:
        before = self.before
        if before is None:
            return Insert(DeviceCount(key=self.key, count=more, expires_at=now + self.window))
        if now >= before.expires_at:
            return Replace(before, attrs.evolve(before, count=more, expires_at=now + self.window))
        return Replace(before, attrs.evolve(before, count=before.count + more))


def find_tally(
    what: Literal["user", "address", "begun", "pushed", "asked", "unknown"],
    who: str,
    most: int,
    window: int,
    context: Context,
) -> Flow[Tally]:
    """Find how often it was done.

    Codes that a user or an address got wrong; what an address has begun, or pushed; how often a user was asked in the
    background, and how many hints of a client meant no user.
    """
    key = context.digest("device_count", Secret(f"{what} {who}"))
    return Tally(key, most, window, (yield from find(DeviceCount, key)))
