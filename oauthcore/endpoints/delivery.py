"""Delivery of what clients have to be told, from a queue in storage, by any number of workers.

To take a delivery, a worker moves the time of its next try into the future, in a commit that only one worker can make.
If the worker is killed, the delivery is simply tried again at that time. What is delivered, and how often it is tried,
is the queue's: `logout_delivery` and `ping_delivery` have one each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice, zip_longest
from typing import Generic, Protocol, TypeVar

import attrs

from oauthcore.context import Context
from oauthcore.errors import OAuthError
from oauthcore.flow.effects import Flow, find_of
from oauthcore.flow.outcome import Decision
from oauthcore.flow.transact import commit_with_retry, refuse_errors, reply_to
from oauthcore.records.record import Owned
from oauthcore.wire.http import Outgoing, Response

# Seconds per round for one client; what is left then is delivered in the next round.
CLIENT_TIME = 5


class Delivery(Owned, Protocol):
    """What every record of a queue has beside: for whom it is, how often it was tried, and when it is tried next."""

    @property
    def client_id(self) -> str:
        """Return the client that has to be told."""

    @property
    def tries(self) -> int:
        """Return how many tries were begun."""

    @property
    def next_try_at(self) -> int:
        """Return when it is due, in seconds since the Unix epoch."""

    @property
    def expires_at(self) -> int:  # type: ignore[explicit-override]  # none in 3.11
        """Return when it is worth no try any more, in seconds since the Unix epoch."""


D = TypeVar("D", bound=Delivery)


@attrs.frozen
class Queue(Generic[D]):
    """Hold what is particular to one queue.

    All of its records are found by one `subject`, so that any worker finds them, also after a restart. `claim` takes a
    delivery, unless another worker has, and returns the request that delivers it, or None; `claimed` is the record
    after that. `settle` notes how a try went.
    """

    kind: type[D]
    subject: str
    claim: Callable[[D, Context], Flow[Decision[Outgoing | None]]]
    claimed: Callable[[D, int], D]
    settle: Callable[[D, Response | None], Flow[Decision[bool]]]

    def deliver(self, limit: int, context_now: Callable[[], Context]) -> Flow[int]:
        """Deliver what is due, at most so many, one after the other at its own time; return how many were tried."""
        tried = 0
        for deliveries in (yield from self.due_by_client(limit, context_now().now)):
            tried += yield from self.deliver_to(deliveries, context_now)
        return tried

    def deliver_to(self, deliveries: tuple[D, ...], context_now: Callable[[], Context]) -> Flow[int]:
        """Deliver what is due to one client, one after the other, until it does not answer or its time is up.

        If it did not answer once, it will probably not answer the next time either; the rest stays due until this
        client's next turn. Returns how many were tried.
        """
        until = context_now().now + CLIENT_TIME
        tried = 0
        for delivery in deliveries:
            context = context_now()
            if context.now >= until:
                break
            # Whatever keeps one delivery from being sent, a bug included, keeps none of the others from it.
            request = yield from refuse_errors(commit_with_retry(partial(self.claim, delivery, context)), no_request)
            if request is None:
                continue
            answer = yield from reply_to(request)
            # By the time of the claim, whatever time it is now: it is that record that is settled.
            _ = yield from commit_with_retry(partial(self.settle, self.claimed(delivery, context.now), answer))
            tried += 1
            if answer is None:
                break
        return tried

    def due_by_client(self, limit: int, now: int) -> Flow[tuple[tuple[D, ...], ...]]:
        """Find the deliveries that are due now, at most `limit`, grouped by client.

        Each client has the same share of the limit, however many are due to another. Clients with the fewest failures
        come first, so that they don't wait for a client that does not respond.
        """
        queue = yield from self.due(now)
        return shares(queue, limit)

    def due(self, now: int) -> Flow[Sequence[D]]:
        """Find the deliveries that are due now, the longest overdue first."""
        queue = yield from find_of(self.kind, self.subject)
        ready = (delivery for delivery in queue if delivery.next_try_at <= now < delivery.expires_at)
        return sorted(ready, key=lambda delivery: (delivery.next_try_at, delivery.key))


def shares(queue: Sequence[D], limit: int) -> tuple[tuple[D, ...], ...]:
    """Divide a queue among its clients: one for each, then another for each, up to the limit."""
    waiting: dict[str, list[D]] = {}
    for delivery in queue:
        waiting.setdefault(delivery.client_id, []).append(delivery)
    in_order = sorted(waiting.values(), key=lambda deliveries: max(delivery.tries for delivery in deliveries))
    rounds = (delivery for in_round in zip_longest(*in_order) for delivery in in_round if delivery is not None)
    chosen = frozenset(delivery.key for delivery in islice(rounds, limit))
    divided = (tuple(delivery for delivery in deliveries if delivery.key in chosen) for deliveries in in_order)
    return tuple(deliveries for deliveries in divided if deliveries)


def no_request(error: OAuthError, cause: BaseException | None) -> None:
    """Return None: nothing is sent now, and the delivery stays due."""
