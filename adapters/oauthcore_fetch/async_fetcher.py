"""The same for a host on an event loop, which must not wait: each request is made on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import monotonic

from oauthcore import Outgoing, Response
from oauthcore.documents import host_of
from oauthcore.errors import ConfigurationError
from oauthcore_fetch.fetcher import Fetcher, FetchFailed
from oauthcore_fetch.flights import Flight, Flights, is_shared
from oauthcore_fetch.lanes import Lanes, Waiting


class AsyncFetcher:
    """Send requests to other servers for an async host, at most `at_once` at the same time.

    It has its own threads: a slow server delays only requests that need other servers too, and of those only requests
    to hosts that have not answered before: see `oauthcore_fetch.lanes`. Concurrent identical reads share one request. A
    request that has waited for the fetcher's `timeout`, for a thread or for the resolver, fails.
    """

    def __init__(
        self, fetcher: Fetcher | None = None, *, at_once: int = 16, clock: Callable[[], float] = monotonic
    ) -> None:
        if at_once < 1:
            raise ConfigurationError("at_once", at_once, "use a number above 0")
        self._fetcher = fetcher or Fetcher()
        self._clock = clock
        self._flights = Flights(clock)
        self._lanes = Lanes(at_once, clock)
        # They are started when they are needed, and end with this object.
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="oauthcore-fetch")

    async def __call__(self, request: Outgoing) -> Response:
        """Return the response, whatever its status; raises `FetchFailed` if there is none."""
        flight, mine = self._flights.board(request) if is_shared(request) else (Flight(), True)
        if mine:
            start = partial(self._threads.submit, self._fly, flight, request)
            expire = partial(self._flights.land, flight, FetchFailed("it was not this request's turn in time"))
            self._lanes.enter(Waiting(host_of(request.url), self._clock() + self._fetcher.timeout, start, expire))
        try:
            async with asyncio.timeout(self._fetcher.timeout):
                return await shared(flight.answer)
        except TimeoutError:
            raise FetchFailed(f"no answer came within {self._fetcher.timeout} seconds") from None

    def _fly(self, flight: Flight, request: Outgoing) -> None:
        """Make the request, on a thread."""
        answer: Response | Exception
        try:
            answer = self._fetcher.send(request)
        except Exception as failure:  # whatever it is, it is those who wait that hear of it
            answer = failure
        self._flights.land(flight, answer)
        self._lanes.leave(host_of(request.url), answered=isinstance(answer, Response))


def shared(answer: Future[Response]) -> asyncio.Future[Response]:
    """Wait for a response that others may wait for, too; cancelling one does not cancel the others."""
    waiting = asyncio.wrap_future(answer)
    # If all waiters were cancelled, the exception is never retrieved, and asyncio would warn of it.
    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
    return asyncio.shield(waiting)
