"""How many clients may register themselves: a place is found for each, and each is counted by its address.

Anybody may send a thousand registrations a second. From one address that is a count, one record, beyond which nothing
is stored; from many it is `max_clients`, beyond which nothing is stored until one of those that are never used is
forgotten. A place is drawn like a slot of a hash table. So who registers at the same time as others rarely meets them,
no number has to be counted down, and the bound is exact; the price is that the last places are hard to find.
"""

from __future__ import annotations

import attrs

from oauthcore.clients.dynamic_registration import COUNTED_FOR, Registration
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import TooManyAttempts
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Insert, Replace
from oauthcore.records.client import Client
from oauthcore.records.registration_limits import RegistrationCount, RegistrationSlot
from oauthcore.wire.http import Request
from oauthcore.wire.network import network_of

# Of four places in five taken, one client in six finds none of eight free; of half of them, one in 256.
PROBES = 8
# Who finds no place may find one when others have been forgotten: soon, or tomorrow.
FULL_FOR = 600


@attrs.frozen
class Place:
    """Hold a place that is free: what is stored there, None or expired."""

    number: int
    before: RegistrationSlot | None

    def taken_by(self, client: Client) -> Change:
        """Return the change that puts a client into this slot, until the client expires."""
        slot = RegistrationSlot(key=str(self.number), client_id=client.client_id, expires_at=client.expires_at)
        return Insert(slot) if self.before is None else Replace(self.before, slot)


def find_place(client_id: str, settings: Registration, context: Context) -> Flow[Place | None]:
    """Find a slot for a client, None if there is no limit; raises `TooManyAttempts` if none is free."""
    if settings.max_clients is None:
        return None
    for probe in range(PROBES):
        drawn = context.digest("registration_slot", Secret(f"{probe} {client_id}"))
        number = int.from_bytes(bytes.fromhex(drawn), "big") % settings.max_clients
        slot = yield from find(RegistrationSlot, str(number))
        if is_free(slot, client_id, context.now):
            return Place(number, slot)
    raise TooManyAttempts(f"{settings.max_clients} dynamic clients are too many, and no place was found", FULL_FOR)


def is_free(slot: RegistrationSlot | None, client_id: str, now: int) -> bool:
    """Return whether a client may take a slot: it is empty, its client has expired, or it is the client's own."""
    return slot is None or slot.client_id == client_id or (slot.expires_at is not None and now >= slot.expires_at)


@attrs.frozen
class Counted:
    """Hold what an address has registered so far, None if that is not counted or was nothing."""

    key: Digest | None
    before: RegistrationCount | None = None

    def check(self, settings: Registration, now: int) -> None:
        """Raise `TooManyAttempts` where the address has registered enough for now."""
        before, most = self.before, settings.max_from_address
        if before is not None and most is not None and before.count >= most and now < before.expires_at:
            raise TooManyAttempts("too many clients were registered from this address", before.expires_at - now)

    def one_more(self, now: int) -> tuple[Change, ...]:
        """Return what counts one more."""
        if self.key is None:
            return ()
        if self.before is None:
            return (Insert(RegistrationCount(key=self.key, count=1, expires_at=now + COUNTED_FOR)),)
        begun_anew = now >= self.before.expires_at
        count = RegistrationCount(
            key=self.key,
            count=1 if begun_anew else self.before.count + 1,
            expires_at=now + COUNTED_FOR if begun_anew else self.before.expires_at,
        )
        return (Replace(self.before, count),)


def find_count(request: Request, settings: Registration, context: Context) -> Flow[Counted]:
    """Find how many clients an address has registered.

    Clients with an unknown address share one count; otherwise the limit would not apply behind a proxy that was not
    named.
    """
    if settings.max_from_address is None:
        return Counted(None)
    key = context.digest("registration_address", Secret(source_of(request)))
    return Counted(key, (yield from find(RegistrationCount, key)))


def source_of(request: Request) -> str:
    """Return the network that a request came from, blank if it is unknown; a host's `peer` may be any text."""
    address = None if request.peer is None else request.peer.address
    try:
        return "" if address is None else network_of(address)
    except ValueError:  # a name, as some test clients have it
        return ""
