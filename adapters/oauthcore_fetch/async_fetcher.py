"""The same for a host on an event loop, which must not wait: each request is made on a thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from oauthcore import Outgoing, Response
from oauthcore.errors import ConfigurationError
from oauthcore_fetch.fetcher import Fetcher, FetchFailed


class AsyncFetcher:
    """Ask another server, for an async host, `at_once` of them at most.

    The threads are its own: a server that answers slowly keeps nothing waiting but what asks other servers too. Who
    has waited for the fetcher's `timeout`, be it for a thread or for a name, is told that there is no answer.
    """

    def __init__(self, fetcher: Fetcher | None = None, *, at_once: int = 10) -> None:
        if at_once < 1:
            raise ConfigurationError("at_once", at_once, "use a number above 0")
        self._fetcher = fetcher or Fetcher()
        # They are started when they are needed, and end with this object.
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="oauthcore-fetch")

    async def __call__(self, request: Outgoing) -> Response:
        """Give the answer, whatever its status; raises `FetchFailed` where there is none."""
        answer = asyncio.get_running_loop().run_in_executor(self._threads, self._fetcher, request)
        try:
            async with asyncio.timeout(self._fetcher.timeout):
                return await answer
        except TimeoutError:
            raise FetchFailed(f"no answer came within {self._fetcher.timeout} seconds") from None
