"""Delivery of CIBA's notifications, from the queue in storage (CIBA Core section 10.2).

How deliveries are shared out among workers and clients is in `delivery`. A client that is never reached can still poll.
"""

from __future__ import annotations

import json

import attrs

from oauthcore.context import Context
from oauthcore.endpoints.delivery import Queue
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Replace
from oauthcore.jose.strict_json import parse_object
from oauthcore.records.backchannel import WAITING, BackchannelPing
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_live_client, of_generation
from oauthcore.wire.http import Outgoing, Response

# Seconds until the next try, and how many there are: a request lasts for minutes, and its client can poll.
WAIT = 15
MAX_TRIES = 3


DuePings = tuple[BackchannelPing, ...]
"""What is due to one client."""


def claimed(ping: BackchannelPing, now: int) -> BackchannelPing:
    """Return the notification with one more try begun."""
    return attrs.evolve(ping, tries=ping.tries + 1, next_try_at=now + WAIT)


def claim(ping: BackchannelPing, context: Context) -> Flow[Decision[Outgoing | None]]:
    """Claim a notification, unless another worker has; the value is the request that delivers it, or None."""
    stored = yield from find(BackchannelPing, ping.key)
    client = of_generation((yield from find(Client, ping.client_id)), ping.client_generation)
    return decide_claim(ping, stored, client, context)


def decide_claim(
    ping: BackchannelPing, stored: BackchannelPing | None, client: Client | None, context: Context
) -> Decision[Outgoing | None]:
    """Take it, and return the request; drop it where it can't be delivered any more."""
    if stored != ping:
        return Decision(None)
    is_live = client is not None and is_live_client(client, context.now, context.admits)
    endpoint = client.backchannel_client_notification_endpoint if client is not None and is_live else None
    opened = opened_notification(ping, context)
    # Also where workers were killed after a claim: each claim is a try.
    if endpoint is None or opened is None or ping.tries >= MAX_TRIES:
        return Decision(None, (Delete(ping),), (Event("backchannel_not_notified", ping.client_id),))
    return Decision(posted(endpoint, opened), (Replace(ping, claimed(ping, context.now)),))


def opened_notification(ping: BackchannelPing, context: Context) -> dict[str, str] | None:
    """Return what the client is sent, None if it was encrypted under a key that is no longer the server's."""
    text = context.sealing.unseal("notification", ping.notification)
    return None if text is None else {name: str(value) for name, value in parse_object(text).items()}


def posted(endpoint: str, opened: dict[str, str]) -> Outgoing:
    """Return the request of section 10.2: JSON with the identifier, and the client's own token as a bearer token."""
    headers = (
        ("Content-Type", "application/json"),
        ("Authorization", f"Bearer {opened['token']}"),
        ("Accept", "application/json, */*;q=0.1"),
    )
    return Outgoing("POST", endpoint, headers, json.dumps({"auth_req_id": opened["auth_req_id"]}).encode("ascii"))


def settle(taken: BackchannelPing, answer: Response | None) -> Flow[Decision[bool]]:
    """Note how a try went; return whether the client was notified."""
    return decide_settle(taken, (yield from find(BackchannelPing, taken.key)), answer)


def decide_settle(taken: BackchannelPing, stored: BackchannelPing | None, answer: Response | None) -> Decision[bool]:
    """Forget what was delivered, or can't be; the rest is tried again (CIBA Core section 10.2)."""
    if stored != taken:
        return Decision(False)
    changes: tuple[Change, ...] = (Delete(taken),)
    # Section 10.2: 204, and 200 for the lenient; a redirect is not followed, and no reason to come back either.
    if answer is not None and answer.status in {200, 202, 204}:
        return Decision(True, changes, (Event("backchannel_notified", taken.client_id),))
    if taken.tries >= MAX_TRIES or (answer is not None and answer.status < 500):
        return Decision(False, changes, (Event("backchannel_not_notified", taken.client_id),))
    return Decision(False)


PINGS = Queue(BackchannelPing, WAITING, claim, claimed, settle)
