"""One request to another server: bounded in time and size, no redirects, no proxies, no address that is not public."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from time import monotonic

import urllib3
from urllib3.util import Timeout, parse_url

from oauthcore import Outgoing, Response
from oauthcore.errors import ConfigurationError
from oauthcore_fetch.guard import Forbidden, Resolve, is_among, networks, permitted, resolve

PIECE = 16 * 1024


class FetchFailed(Exception):
    """Report that a server gave no answer that could be used; nothing of what it sent is in the message."""


class Fetcher:
    """Ask another server, for a blocking host.

    `timeout`, in seconds, is for the whole exchange, `max_size`, in bytes, for the body of the answer. `allow` opens
    addresses that are not public, as networks. `ca_file` names certificates to trust besides the system's. Plain http
    is asked only of allowed addresses. A redirect is an answer like any other, and followed by nobody.
    """

    def __init__(
        self,
        *,
        timeout: float = 5.0,
        max_size: int = 256 * 1024,
        allow: Iterable[str] = (),
        ca_file: str | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        if timeout <= 0 or max_size < 1:
            raise ConfigurationError("timeout, max_size", (timeout, max_size), "use numbers above 0")
        self._timeout = timeout
        self._max_size = max_size
        self._allow = networks(allow)
        self._resolve = resolve
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            try:
                self._tls.load_verify_locations(ca_file)
            except (OSError, ssl.SSLError):
                raise ConfigurationError("ca_file", ca_file, "name a file of PEM certificates") from None

    def __call__(self, request: Outgoing) -> Response:
        """Give the answer, whatever its status; raises `FetchFailed` where there is none."""
        deadline = monotonic() + self._timeout
        try:
            with self._pool(request.url) as pool:
                return self._exchange(pool, request, deadline)
        except (urllib3.exceptions.HTTPError, OSError, Forbidden) as error:
            raise FetchFailed(f"{parse_url(request.url).host}: {type(error).__name__}") from error

    def _pool(self, url: str) -> urllib3.HTTPConnectionPool:
        """Make a pool of one connection, to the address that was looked at and under the name that was asked for."""
        parts = parse_url(url)
        host = (parts.host or "").strip("[]")
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = permitted(host, port, self._allow, self._resolve)
        timeout = Timeout(total=self._timeout)
        if secure:
            return urllib3.HTTPSConnectionPool(
                address, port, timeout=timeout, ssl_context=self._tls, server_hostname=host, assert_hostname=host
            )
        if not is_among(address, self._allow):
            raise Forbidden("plain http is asked of allowed addresses only")
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)

    def _exchange(self, pool: urllib3.HTTPConnectionPool, request: Outgoing, deadline: float) -> Response:
        parts = parse_url(request.url)
        headers = {"Host": parts.netloc or "", "User-Agent": "oauthcore", "Accept-Encoding": "identity"}
        answer = pool.request(
            request.method,
            parts.request_uri,
            body=request.body or None,
            headers=headers | dict(request.headers),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        body = bytearray()
        for piece in answer.stream(PIECE, decode_content=False):
            body += piece
            if len(body) > self._max_size:
                raise FetchFailed(f"{parts.host}: the answer has more than {self._max_size} bytes")
            if monotonic() > deadline:
                raise FetchFailed(f"{parts.host}: the answer took more than {self._timeout} seconds")
        return Response(answer.status, tuple(answer.headers.items()), bytes(body))


class AsyncFetcher:
    """Ask another server, for an async host: the same, on a thread."""

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher()

    async def __call__(self, request: Outgoing) -> Response:
        """Give the answer, whatever its status; raises `FetchFailed` where there is none."""
        return await asyncio.to_thread(self._fetcher, request)
