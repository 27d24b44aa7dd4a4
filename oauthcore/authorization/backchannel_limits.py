"""How often users may be asked in the background, and how often clients may guess at users (CIBA Core section 15)."""

from __future__ import annotations

from collections.abc import Sequence

from oauthcore.authorization.tally import Tally, find_tally
from oauthcore.ciba import Ciba
from oauthcore.context import Context
from oauthcore.errors import AccessDenied
from oauthcore.flow.effects import Flow, find_of
from oauthcore.per_request import per_request
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.records.client import Client
from oauthcore.records.lifecycle import BackchannelState

# Hints by which no user was found are counted for so long.
UNKNOWN_COUNTED_FOR = 3_600


@per_request
class Waiting:
    """Hold what clients have asked of one user lately.

    `tally` is changed by each request for the user. So of many requests at once no more are taken than of as many that
    come one after another: all but one are decided again.
    """

    requests: Sequence[BackchannelRequest]
    tally: Tally

    def check(self, client: Client, settings: Ciba, context: Context) -> None:
        """Refuse one more if too many wait: who has a client's credentials could weary a user until they allow one."""
        counted = [request for request in self.requests if is_counted(request, settings, context)]
        of_client = sum(request.client_id == client.client_id for request in counted)
        if settings.max_pending is not None and of_client >= settings.max_pending:
            raise AccessDenied.with_description("too many requests wait for this user already").by_setting(
                "ciba.max_pending"
            )
        if settings.max_pending_of_user is not None and len(counted) >= settings.max_pending_of_user:
            # In the same words: a client does not learn that others ask the user, too.
            raise AccessDenied.with_description("too many requests wait for this user already").by_setting(
                "ciba.max_pending_of_user"
            )


def is_counted(request: BackchannelRequest, settings: Ciba, context: Context) -> bool:
    """Return whether a request counts against the limits, for as long as requests usually last.

    One that the user has denied counts as well, and so does one that the client lets end after a second: otherwise
    either would be a way to ask on and on.
    """
    is_unwanted = request.state in {BackchannelState.PENDING, BackchannelState.DENIED}
    return is_unwanted and context.now < max(request.answer_before, request.requested_at + settings.lifetime)


def find_waiting(subject: str, settings: Ciba, context: Context) -> Flow[Waiting]:
    """Find what waits for a user, of whichever client."""
    # Before the requests: one that is added after this was found changes it, so that this decision does not hold.
    tally = yield from find_tally("asked", subject, 0, settings.max_lifetime, context)
    return Waiting((yield from find_of(BackchannelRequest, subject)), tally)


def find_unknown(client: Client, settings: Ciba, context: Context) -> Flow[Tally | None]:
    """Find how many hints of a client meant no user; raises `TooManyAttempts` if they are too many.

    By them a client, or who has its credentials, finds out who is a user: `unknown_user_id` tells (section 13). Before
    the hint is looked up, so that who has guessed too often learns nothing more.
    """
    if settings.max_unknown is None:
        return None
    tally = yield from find_tally("unknown", client.client_id, settings.max_unknown, UNKNOWN_COUNTED_FOR, context)
    tally.check(context.now)
    return tally
