"""Delivery of logout tokens, from the queue in storage (OIDC Back-Channel Logout 1.0 section 2.5).

To take a delivery, a worker moves the time of its next try into the future, in a commit that only one worker can make.
If the worker is killed, the delivery is simply tried again at that time. Any number of workers may deliver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice, zip_longest
from typing import TypeVar

import attrs

from oauthcore.context import Context
from oauthcore.errors import InvalidRequest, OAuthError
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Decision, Delete, Event, Replace
from oauthcore.flow.transact import commit_with_retry, refuse_errors, reply_to
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
# Seconds per round for one client; what is left then is delivered in the next round.
CLIENT_TIME = 5

T = TypeVar("T")


DueLogouts = tuple[LogoutDelivery, ...]
"""What is due to one client."""


def deliver(limit: int, context_now: Callable[[], Context]) -> Flow[int]:
    """Deliver what is due, at most so many one after the other, each at its own time; return how many were tried."""
    tried = 0
    for deliveries in (yield from due_by_client(limit, context_now().now)):
        tried += yield from deliver_to(deliveries, context_now)
    return tried


def deliver_to(deliveries: DueLogouts, context_now: Callable[[], Context]) -> Flow[int]:
    """Deliver what is due to one client, one after the other, until it does not answer or its time is up.

    If it did not answer once, it will probably not answer the next time either; the rest stays due until this client's
    next turn. Returns how many were tried.
    """
    until = context_now().now + CLIENT_TIME
    tried = 0
    for delivery in deliveries:
        context = context_now()
        if context.now >= until:
            break
        # Whatever keeps one delivery from being sent, a bug included, keeps none of the others from it.
        request = yield from refuse_errors(commit_with_retry(partial(claim, delivery, context)), no_request)
        if request is None:
            continue
        answer = yield from reply_to(request)
        _ = yield from commit_with_retry(partial(settle, claimed(delivery, context.now), answer))
        tried += 1
        if answer is None:
            break
    return tried


def due_by_client(limit: int, now: int) -> Flow[tuple[DueLogouts, ...]]:
    """Find the deliveries that are due now, at most `limit`, grouped by client.

    Each client has the same share of the limit, however many are due to another. Clients with the fewest failures come
    first, so that they don't wait for a client that does not respond.
    """
    queue = yield from due(now)
    return shares(queue, limit)


def shares(queue: Sequence[LogoutDelivery], limit: int) -> tuple[DueLogouts, ...]:
    """Divide a queue among its clients: one for each, then another for each, up to the limit."""
    waiting: dict[str, list[LogoutDelivery]] = {}
    for delivery in queue:
        waiting.setdefault(delivery.client_id, []).append(delivery)
    in_order = sorted(waiting.values(), key=lambda deliveries: max(delivery.tries for delivery in deliveries))
    rounds = (delivery for in_round in zip_longest(*in_order) for delivery in in_round if delivery is not None)
    chosen = frozenset(delivery.key for delivery in islice(rounds, limit))
    divided = (tuple(delivery for delivery in deliveries if delivery.key in chosen) for deliveries in in_order)
    return tuple(deliveries for deliveries in divided if deliveries)


def due(now: int) -> Flow[Sequence[LogoutDelivery]]:
    """Find the deliveries that are due now, the longest overdue first."""
    queue = yield from find_of(LogoutDelivery, DUE)
    ready = (delivery for delivery in queue if delivery.next_try_at <= now < delivery.expires_at)
    return sorted(ready, key=lambda delivery: (delivery.next_try_at, delivery.key))


def claimed(delivery: LogoutDelivery, now: int) -> LogoutDelivery:
    """Return the delivery with one more try begun."""
    # Doubling waits: a client that is down is not flooded when it comes back.
    wait = FIRST_WAIT * 2**delivery.tries
    return attrs.evolve(delivery, tries=delivery.tries + 1, next_try_at=now + wait)


def no_request(error: OAuthError, cause: BaseException | None) -> None:
    """Return None: nothing is sent now, and the delivery stays due."""


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
