"""What bounds guessing at user codes, and how many there are to guess at (RFC 8628 section 5.1)."""

from __future__ import annotations

from oauthcore.authorization.tally import Tally, find_tally
from oauthcore.clients.registration_limits import source_of
from oauthcore.context import Context
from oauthcore.device_grant import DeviceGrant
from oauthcore.flow.effects import Flow
from oauthcore.wire.http import Request

# Wrong codes are counted for so long: several times as long as a code is good for.
COUNTED_FOR = 3_600


def find_wrong_codes(
    subject: str, request: Request, settings: DeviceGrant, context: Context
) -> Flow[tuple[Tally, ...]]:
    """Find how many wrong codes a user has entered, and how many came from an address.

    The user is counted, not the session: who signs in once more has no more guesses. Requests with an unknown address
    share one count; otherwise the limit would not apply behind a proxy that was not named.
    """
    found: list[Tally] = []
    if settings.max_wrong_of_user is not None:
        found.append((yield from find_tally("user", subject, settings.max_wrong_of_user, COUNTED_FOR, context)))
    if settings.max_wrong_from_address is not None:
        source = source_of(request)
        found.append((yield from find_tally("address", source, settings.max_wrong_from_address, COUNTED_FOR, context)))
    return tuple(found)


def find_begun(request: Request, settings: DeviceGrant, context: Context) -> Flow[tuple[Tally, ...]]:
    """Find how many authorizations of public clients were begun from an address, while one lasts."""
    if settings.max_from_address is None:
        return ()
    tally = yield from find_tally("begun", source_of(request), settings.max_from_address, settings.lifetime, context)
    return (tally,)
