"""What bounds guessing at user codes, and how many there are to guess at (RFC 8628 section 5.1).

Each count is a record, so all workers count together; and it is a precondition of the commit that answers. Of a
thousand guesses that are sent at once, no more are answered than of a thousand that are sent one after another.
"""

from __future__ import annotations

from typing import Literal

import attrs

from oauthcore.clients.registration_limits import source_of
from oauthcore.context import Context
from oauthcore.device_grant import DeviceGrant
from oauthcore.digest import Digest, Secret
from oauthcore.errors import TooManyAttempts
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Insert, Replace, Require
from oauthcore.records.device import DeviceCount
from oauthcore.wire.http import Request

# Wrong codes are counted for so long: several times as long as a code is good for.
COUNTED_FOR = 3_600


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


def find_wrong_codes(
    subject: str, request: Request, settings: DeviceGrant, context: Context
) -> Flow[tuple[Tally, ...]]:
    """Find how many wrong codes a user has entered, and how many came from an address.

    The user is counted, not the session: who signs in once more has no more guesses. Requests with an unknown address
    share one count; otherwise the limit would not apply behind a proxy that was not named.
    """
    found: list[Tally] = []
    if settings.max_wrong_of_user is not None:
        found.append((yield from _find("user", subject, settings.max_wrong_of_user, COUNTED_FOR, context)))
    if settings.max_wrong_from_address is not None:
        source = source_of(request)
        found.append((yield from _find("address", source, settings.max_wrong_from_address, COUNTED_FOR, context)))
    return tuple(found)


def find_begun(request: Request, settings: DeviceGrant, context: Context) -> Flow[tuple[Tally, ...]]:
    """Find how many authorizations of public clients were begun from an address, while one lasts."""
    if settings.max_from_address is None:
        return ()
    tally = yield from _find("begun", source_of(request), settings.max_from_address, settings.lifetime, context)
    return (tally,)


def _find(what: Literal["user", "address", "begun"], who: str, most: int, window: int, context: Context) -> Flow[Tally]:
    key = context.digest("device_count", Secret(f"{what} {who}"))
    return Tally(key, most, window, (yield from find(DeviceCount, key)))
