"""Polling: how a client asks whether its user has answered (RFC 8628 section 3.5, CIBA Core section 11).

The record of the request keeps the interval, how often the client was told to slow down, and when it polled last: so
all workers see the same.
"""

from __future__ import annotations

from oauthcore.errors import AuthorizationPending, OAuthError, SlowDown
from oauthcore.per_request import per_request

# RFC 8628 section 3.5: by how much the interval grows with each slow_down.
SLOWER = 5
# A client that never slows down is not written down for ever: beyond a minute its polls change nothing.
MOST_SLOW_DOWNS = 11
# Times are whole seconds, and a request may take a moment less than the one before it.
TOLERANCE = 1
# A poll is kept if none was kept for so many intervals. So a waiting client costs finds, and a commit now and then. One
# that polls too fast is noticed after the next poll that is kept, and then each of its polls is kept.
KEPT_EVERY = 4


@per_request
class Polled:
    """Hold the result of a poll before the answer: the error, and how often the client was told to slow down.

    Only if it `is_kept`, the record has to be changed.
    """

    error: OAuthError
    slow_downs: int
    is_kept: bool


def poll(interval: int, slow_downs: int, last: int | None, now: int) -> Polled:
    """Ask the client to go on polling, more slowly if it polls too fast; `last` is when it did so, None if never."""
    since = None if last is None else now - last
    slower = interval + SLOWER * slow_downs
    if since is not None and since < slower - TOLERANCE:
        is_kept = slow_downs < MOST_SLOW_DOWNS
        return Polled(SlowDown("the client polls too fast"), slow_downs + is_kept, is_kept)
    is_kept = since is None or slow_downs > 0 or since >= KEPT_EVERY * slower
    return Polled(AuthorizationPending("the user has not answered yet"), slow_downs, is_kept)
