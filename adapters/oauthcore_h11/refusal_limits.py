"""How often clients may be refused within a minute, where they authenticate: beyond that nothing of them is looked at.

An attacker who guesses secrets, codes or tokens is refused, and so is a client that repeats an impossible request.
Those are counted, by client from one address and by address, and requests that succeed are not: many people's clients
may share an address. Each worker counts for itself and in memory, so that a flood of refusals writes nothing.
"""

from __future__ import annotations

import attrs

from oauthcore import AuthorizationServer, Request, Response
from oauthcore.clients.authentication import read_credentials
from oauthcore.clock import Clock
from oauthcore.errors import AuthorizationPending, OAuthError, TooManyAttempts
from oauthcore.wire.network import network_of
from oauthcore.wire.parameters import form_of

MINUTE = 60
# An address may have many clients behind it, and an attacker there may name a new one each time.
PER_ADDRESS = 10
# What strangers can have remembered: so many counts, of which the oldest goes first, each under so long a name.
MAX_COUNTS = 10_000
MAX_NAME = 100
# What a client brought about itself: a 503 is the server's doing, and a 413 was never looked at.
REFUSED = frozenset({400, 401, 403})


@attrs.frozen
class Count:
    """Hold how often a client or address was refused since then."""

    number: int
    since: float


@attrs.define
class RefusalLimits:
    """Count refusals: `most` within a minute for a client from one address, ten times as many for the address.

    `paths` are those where they hold. With 0 nothing is counted. Who has no address, behind a proxy that is not
    named, is not counted: all would be one.
    """

    most: int
    clock: Clock
    paths: frozenset[str] = frozenset()
    _counts: dict[tuple[str, ...], Count] = attrs.field(factory=dict, init=False, repr=False)

    def check(self, request: Request) -> None:
        """Raise `TooManyAttempts` for a request whose sender was refused too often, before anything is looked at."""
        network = self._network(request)
        # A client from there is counted only where the address is: most requests end here.
        if network is None or self._since(network) is None:
            return
        for key, most in ((network, PER_ADDRESS * self.most), ((*network, client_of(request)), self.most)):
            count = self._since(key)
            if count is not None and count.number >= most:
                # RFC 6585 section 4: when to try again.
                wait = max(1, round(count.since + MINUTE - self.clock()))
                raise TooManyAttempts("too many requests of this client or address were refused", wait)

    def count(self, request: Request, response: Response) -> None:
        """Count a request that was refused."""
        network = self._network(request)
        if network is None or response.refusal is None or response.status not in REFUSED:
            return
        # RFC 8628 section 3.5: that is how a device is told to go on, and no mistake of its.
        if response.refusal.code == AuthorizationPending.code:
            return
        for key in (network, (*network, client_of(request))):
            before = self._counts.pop(key, None)
            if before is None or self._is_over(before):
                before = Count(0, self.clock())
            while len(self._counts) >= MAX_COUNTS:
                del self._counts[next(iter(self._counts))]
            self._counts[key] = attrs.evolve(before, number=before.number + 1)

    def _network(self, request: Request) -> tuple[str, ...] | None:
        address = None if request.peer is None else request.peer.address
        return None if address is None or self.most == 0 else (network_of(address),)

    def _since(self, key: tuple[str, ...]) -> Count | None:
        count = self._counts.get(key)
        return None if count is None or self._is_over(count) else count

    def _is_over(self, count: Count) -> bool:
        return self.clock() >= count.since + MINUTE


def guessed_at(server: AuthorizationServer) -> frozenset[str]:
    """Return the paths where clients authenticate, and where secrets can be guessed."""
    paths = server.paths
    called = (paths.token, paths.introspection, paths.revocation)
    begun = (paths.device_authorization, paths.pushed_authorization_request, paths.backchannel_authentication)
    guessed = (*called, *begun)
    return frozenset(server.base + path for path in guessed)


def client_of(request: Request) -> str:
    """Return which client a request says that it is of, "" if that can't be read: nothing of it is proven."""
    try:
        return read_credentials(request, form_of(request)).client_ids[0][:MAX_NAME]
    except OAuthError:
        return ""
