"""Delivery of logout tokens, from the queue in storage (OIDC Back-Channel Logout 1.0 section 2.5).

How deliveries are shared out among workers and clients is in `delivery`.
"""

from __future__ import annotations

from typing import TypeVar

import attrs

from oauthcore.context import Context
from oauthcore.endpoints.delivery import Queue
from oauthcore.errors import InvalidRequest
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Delete, Event, Replace
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.logout_token import logout_token
from oauthcore.records.client import Client
from oauthcore.records.liveness import of_generation
from oauthcore.records.login import DUE, LogoutDelivery
from oauthcore.redirect_uri import form_encoded
from oauthcore.wire.http import Outgoing, Response
from oauthcore.wire.parameters import FORM

# Seconds until the second try, doubled for each further try; ten tries take about four hours. It is longer than a try
# may take, so that no worker takes a delivery while another is trying it.
FIRST_WAIT = 30
MAX_TRIES = 10

T = TypeVar("T")


DueLogouts = tuple[LogoutDelivery, ...]
"""What is due to one client."""


def claimed(delivery: LogoutDelivery, now: int) -> LogoutDelivery:
    """Return the delivery with one more try begun."""
    # Doubling waits: a client that is down is not flooded when it comes back.
    wait = FIRST_WAIT * 2**delivery.tries
    return attrs.evolve(delivery, tries=delivery.tries + 1, next_try_at=now + wait)


def claim(delivery: LogoutDelivery, context: Context) -> Flow[Decision[Outgoing | None]]:
    """Claim a delivery, unless another worker has; the value is the request that delivers it, or None."""
    stored = yield from find(LogoutDelivery, delivery.key)
    client = of_generation((yield from find(Client, delivery.client_id)), delivery.client_generation)
    decided = decide_claim(delivery, stored, client, context)
    if decided.value is None:
        return Decision(None, decided.changes, decided.events)
    uri, token = decided.value
    # Signed before the commit: if no key is available, the delivery stays unchanged.
    signed = yield from context.sign(token)
    return Decision(posted(uri, signed), decided.changes, decided.events)


def decide_claim(
    delivery: LogoutDelivery, stored: LogoutDelivery | None, client: Client | None, context: Context
) -> Decision[tuple[str, Jwt] | None]:
    """Take it, and return where its token goes, and the token; drop it where it can't be delivered any more."""
    # Another worker took or settled it since; each try is made once.
    if stored != delivery:
        return Decision(None)
    # A client that was removed, or registered again by another party, must not learn whose session has ended.
    if client is None or client.backchannel_logout_uri is None or delivery.tries >= MAX_TRIES:
        return given_up(delivery, None)
    try:
        token = logout_token(client, delivery, context)
    except InvalidRequest:  # it has to be encrypted, and the client has no key for that
        return given_up(delivery, None)
    taken = Replace(delivery, claimed(delivery, context.now))
    return Decision((client.backchannel_logout_uri, token), (taken,))


def posted(uri: str, logout_token: str) -> Outgoing:
    """Return the request that delivers a token (section 2.5)."""
    # Back-Channel Logout section 2.5: a POST with the logout token in a form.
    headers = (("Content-Type", FORM), ("Accept", "application/json, */*;q=0.1"))
    return Outgoing("POST", uri, headers, form_encoded([("logout_token", logout_token)]).encode())


def settle(taken: LogoutDelivery, answer: Response | None) -> Flow[Decision[bool]]:
    """Note how a try went; return whether it was delivered."""
    stored = yield from find(LogoutDelivery, taken.key)
    return decide_settle(taken, stored, answer)


def decide_settle(taken: LogoutDelivery, stored: LogoutDelivery | None, answer: Response | None) -> Decision[bool]:
    """Forget what was delivered (200, and 204 for the lenient: section 2.8); give up after the last try."""
    # The try was taken over by another worker after this one's claim ran out; what that finds counts.
    if stored != taken:
        return Decision(False)
    # Back-Channel Logout section 2.8: 200 if the logout succeeded; some frameworks answer 204 to an empty body.
    if answer is not None and answer.status in {200, 204}:
        return Decision(True, (Delete(taken),), (Event("logout_delivered", taken.client_id, taken.person),))
    return given_up(taken, False) if taken.tries >= MAX_TRIES else Decision(False)


def given_up(delivery: LogoutDelivery, value: T) -> Decision[T]:
    """Delete a delivery that has finally failed, with an event for the audit log."""
    event = Event("logout_undelivered", delivery.client_id, delivery.person)
    return Decision(value, (Delete(delivery),), (event,))


LOGOUTS = Queue(LogoutDelivery, DUE, claim, claimed, settle)
