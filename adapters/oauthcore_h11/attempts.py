"""Login attempts: how many failed recently, and how long the next one has to wait.

An attempt is counted before its password is verified, in the commit that admits it: so a thousand at once count as a
thousand, whichever worker they reach. There are no lockouts: a wait ends, and attempts within it are not counted.

There are three counters. The strict one is for an account and an address together; those for the address, and for the
account from anywhere, are wider. So an attacker at one address slows down only themselves. A known
device, from which the account was signed in to before, has a separate counter, and uses none of those three.
"""

from __future__ import annotations

import hashlib

import attrs

from oauthcore.digest import Digest
from oauthcore.flow.outcome import Change, Delete, Insert, Replace
from oauthcore.wire.network import network_of

# Longer waits than this exponent would give are never reached; it keeps the power from growing without bounds.
_LARGEST_EXPONENT = 32


@attrs.frozen(kw_only=True)
class Attempts:
    """Remember how often something was tried in vain, and when last (seconds since the epoch)."""

    key: Digest
    count: int
    last_at: int
    expires_at: int


@attrs.frozen(kw_only=True)
class Counter:
    """Say which attempts are counted together, and how many of them are free."""

    key: Digest
    free: int


@attrs.frozen(kw_only=True)
class Patience:
    """Say how much may be tried: attempts that are free, seconds to wait after them, seconds until all is forgotten."""

    free: int
    free_per_address: int
    longest_wait: int
    forget_time: int

    def counters(self, username: str, address: str | None, key: bytes) -> tuple[Counter, ...]:
        """Return the counters that an attempt belongs to; what people type as their name is not kept readable."""
        # Clients with an unknown address share one counter. Otherwise, behind a proxy that was not named, trying one
        # password at a thousand accounts would not be counted.
        place = "unknown" if address is None else network_of(address)
        pair = Counter(key=digest(key, "pair", username, place), free=self.free)
        anywhere = Counter(key=digest(key, "account", username), free=self.free_per_address)
        return (pair, anywhere, Counter(key=digest(key, "address", place), free=self.free_per_address))

    def device_counter(self, device: str, key: bytes) -> Counter:
        """Return the counter of a known device, the only one for it, so that others can't delay it."""
        return Counter(key=digest(key, "device", device), free=self.free)

    def wait(self, counter: Counter, known: Attempts | None, now: int) -> int:
        """Return for how many seconds the next attempt is waited for still: 0 if it may be made now."""
        count = self.count(known, now)
        if known is None or count < counter.free:
            return 0
        pause = min(1 << min(count - counter.free, _LARGEST_EXPONENT), self.longest_wait)
        return max(0, known.last_at + pause - now)

    def count(self, known: Attempts | None, now: int) -> int:
        """Return how many vain attempts still count."""
        return 0 if known is None or now >= known.expires_at else known.count

    def counted(self, counter: Counter, known: Attempts | None, now: int) -> Change:
        """Count one more attempt."""
        one_more = Attempts(
            key=counter.key, count=self.count(known, now) + 1, last_at=now, expires_at=now + self.forget_time
        )
        return Insert(one_more) if known is None else Replace(known, one_more)

    def taken_back(self, known: Attempts, *, begins_anew: bool) -> Change:
        """Take back an attempt that succeeded, or was not verified: only this one, unless the counter has restarted.

        This is for the account's own counter, after a right password. Otherwise an attacker with one account could
        guess at others and reset the counters by signing in to it, or keep the hashing busy in that way.
        """
        if begins_anew or known.count <= 1:
            return Delete(known)
        return Replace(known, attrs.evolve(known, count=known.count - 1))


def digest(key: bytes, *parts: str) -> Digest:
    """Return a digest that only who has the key can make."""
    state = hashlib.blake2b("\0".join(("oauthcore attempts", *parts)).encode("utf-8", "surrogatepass"), key=key)
    return Digest(state.hexdigest()[:64])
