"""The operator's hook for what clients ask users in the background (CIBA): it sends each user a message.

How a message reaches a user, as a push notification or an e-mail, is the operator's. The hook is told of whom, of which
client and where the page is, and of nothing that is asked: who reads a message on a locked screen learns no more. A
message that is lost is no harm, since the user finds what waits for them on the page.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import attrs

from oauthcore import ConfigurationError, Outgoing, Response
from oauthcore.flow.outcome import Event
from oauthcore_fetch import AsyncFetcher, Fetcher
from oauthcore_h11.configuration import Configuration

logger = logging.getLogger("oauthcore.server")

# Calls under way: a hook that does not answer takes no more, while clients ask on.
MOST_AT_ONCE = 32
# What the hook is told by is secret, so it travels by TLS, or on the machine.
_URL = re.compile(r"(https://[^/?#]|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[!-~]*")

# RFC 6750 section 2.1: what a bearer token is made of, in the header that it travels in.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


@attrs.frozen(kw_only=True)
class RequestHook:
    """Tell the operator's hook of each request. `page` is the URL where users answer."""

    url: str
    token: str | None = attrs.field(repr=False)
    page: str
    fetch: Callable[[Outgoing], Awaitable[Response]]
    _calls: set[asyncio.Future[None]] = attrs.field(factory=set, init=False, repr=False, eq=False)

    def begin(self, event: Event) -> None:
        """Begin a call, beside what else is done; dropped if too many are under way."""
        if len(self._calls) >= MOST_AT_ONCE:
            logger.warning("ciba.notify_url is not told of a request: it has not answered %d others", MOST_AT_ONCE)
            return
        call = asyncio.ensure_future(self._call(event))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def see_through(self) -> None:
        """Wait for the calls that are under way."""
        if self._calls:
            _ = await asyncio.wait(self._calls)

    async def _call(self, event: Event) -> None:
        members = {"event": event.name, "subject": event.subject, "client_id": event.client_id, "url": self.page}
        headers = [("Content-Type", "application/json"), ("Accept", "application/json, */*;q=0.1")]
        if self.token is not None:
            headers.append(("Authorization", f"Bearer {self.token}"))
        request = Outgoing("POST", self.url, tuple(headers), json.dumps(members).encode("ascii"))
        try:
            answer = await self.fetch(request)
        except Exception as failure:  # whatever it is: the request waits all the same
            logger.warning("ciba.notify_url could not be told of a request: %s", failure)
            return
        if not 200 <= answer.status < 300:
            logger.warning("ciba.notify_url answers %d when it is told of a request", answer.status)


def request_hook_of(configuration: Configuration) -> RequestHook | None:
    """Make what tells the hook; None if there is none. Raises `ConfigurationError`."""
    table = configuration.ciba
    if table is None or (table.notify_url is None and table.notify_token is None):
        return None
    if table.notify_url is None:
        raise ConfigurationError("ciba.notify_token", table.notify_token, "add notify_url, or leave it out")
    if _URL.fullmatch(table.notify_url) is None or urlsplit(table.notify_url).hostname is None:
        remedy = "use an https URL, or http on this machine, as in http://127.0.0.1:9000/ciba"
        raise ConfigurationError("ciba.notify_url", table.notify_url, remedy)
    if table.notify_token is not None and _TOKEN.fullmatch(table.notify_token.reveal()) is None:
        remedy = "use letters, digits and - . _ ~ + / alone: it is sent as a bearer token"
        raise ConfigurationError("ciba.notify_token", table.notify_token, remedy)
    # The operator alone has named this host, so it may be one of their own network.
    allow = (str(urlsplit(table.notify_url).hostname),)
    return RequestHook(
        url=table.notify_url,
        token=None if table.notify_token is None else table.notify_token.reveal(),
        page=configuration.issuer + configuration.paths.requests,
        fetch=AsyncFetcher(Fetcher(allow=allow, ca_file=configuration.outgoing.extra_ca_file)),
    )
