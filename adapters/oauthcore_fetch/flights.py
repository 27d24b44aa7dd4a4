"""One response for all that request the same at the same time.

The core lets one request fetch a document and has the others join it (`oauthcore.documents.Turn`); this is where they
wait. One that joins may come a moment after the response, before the first has cached it; so a response is shared for a
moment longer than it was waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from time import monotonic

import attrs

from oauthcore import Outgoing, Response
from oauthcore.wire.text import ascii_lower

LINGER = 1.0


@attrs.define(eq=False)
class Flight:
    """A request under way: `answer` is its future, `waiting` counts those that joined, `ended_at` is when it ended."""

    answer: Future[Response] = attrs.field(factory=Future)
    waiting: int = 0
    ended_at: float | None = None

    def __attrs_post_init__(self) -> None:
        # So that one cancelled waiter does not cancel it for the others.
        self.answer.set_running_or_notify_cancel()

    def is_over(self, now: float) -> bool:
        """Return whether it can no longer be joined."""
        return self.ended_at is not None and now >= self.ended_at + LINGER


class Flights:
    """Know which requests are under way. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._flights: dict[Outgoing, Flight] = {}

    def board(self, request: Outgoing) -> tuple[Flight, bool]:
        """Return the flight for a request, and whether it is the caller who has to `land` it."""
        with self._lock:
            now = self._clock()
            # What stays behind is as much as was fetched within a second.
            for key in [key for key, flight in self._flights.items() if flight.is_over(now)]:
                del self._flights[key]
            flight = self._flights.get(request)
            if flight is not None:
                flight.waiting += 1
                return flight, False
            self._flights[request] = flight = Flight()
            return flight, True

    def land(self, flight: Flight, answer: Response | Exception) -> None:
        """Hand the answer, or why there is none, to all who wait."""
        with self._lock:
            flight.ended_at = self._clock()
        if isinstance(answer, Exception):
            flight.answer.set_exception(answer)
        else:
            flight.answer.set_result(answer)


def is_shared(request: Outgoing) -> bool:
    """Return whether the answer is the same for all callers: a GET without credentials."""
    return request.method == "GET" and not any(ascii_lower(name) == "authorization" for name, _ in request.headers)
