"""Logouts by the back channel (OIDC Back-Channel Logout 1.0): delivered at once when a test wants it, and reported."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from oauthcore import AuthorizationServer, Response, World, run
from oauthcore.wire.http import Outgoing


@attrs.frozen
class DeliveredLogout:
    """Hold what a client answered to a logout token at its `backchannel_logout_uri`; None if no answer came."""

    url: str
    status: int | None


def deliver_logouts(server: AuthorizationServer, world: World) -> tuple[DeliveredLogout, ...]:
    """Post the logout tokens that are due, each once, and return what came of it."""
    delivered: list[DeliveredLogout] = []
    watched = attrs.evolve(world, fetch=_watching(world.fetch, delivered))
    for due in run(server.sessions.due_logouts(limit=1_000), world):
        # A client that has several sessions gets a token for each, even if it did not answer the first.
        for delivery in due:
            _ = run(server.sessions.deliver_logouts_to((delivery,)), watched)
    return tuple(delivered)


def _watching(
    fetch: Callable[[Outgoing], Response], delivered: list[DeliveredLogout]
) -> Callable[[Outgoing], Response]:
    def send(request: Outgoing) -> Response:
        if request.method != "POST":  # a document of the client's, such as the keys that a token is encrypted to
            return fetch(request)
        try:
            response = fetch(request)
        except Exception:  # of whatever kind: it is recorded as no answer, and goes on to the delivery
            delivered.append(DeliveredLogout(request.url, None))
            raise
        delivered.append(DeliveredLogout(request.url, response.status))
        return response

    return send
