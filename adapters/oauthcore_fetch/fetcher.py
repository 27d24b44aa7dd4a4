"""One request to another server: bounded in time and size, no redirects, no proxies, no address that is not public."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from http.client import HTTPException
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic

import attrs
import urllib3
from urllib3.util import Timeout, Url, parse_url

from oauthcore import Outgoing, Response
from oauthcore.documents import host_of
from oauthcore.errors import ConfigurationError
from oauthcore_fetch.deadline import until
from oauthcore_fetch.flights import Flight, Flights, is_shared
from oauthcore_fetch.guard import Forbidden, Resolve, allowed, permitted, resolve
from oauthcore_fetch.lanes import Lanes, Waiting

PIECE = 16 * 1024
_PORTS = {"https": 443, "http": 80}


class FetchFailed(Exception):
    """Report that there was no usable response; the message contains nothing that the server sent."""


class Fetcher:
    """Ask another server, for a blocking host.

    `timeout`, in seconds, is for the whole exchange, however it trickles in, but for the system's resolver, which has
    its own; `max_size`, in bytes, is for the body of the answer, of which no more than the request's own `max_size` and
    a byte are read. `allow` opens what is not public, as networks or as
    names of hosts. `ca_file` names certificates to trust besides the system's. Plain http is asked only of what is
    allowed. A redirect is an answer like any other, and not followed.

    Each request is made on the thread that asks. So that servers which do not answer never hold all threads of the
    host, make `at_once` half their number or less: so many documents are read at the same time at most, and hosts that
    have not answered yet share half of that (see `oauthcore_fetch.lanes`). Requests that read the same at the same time
    are one, which a quarter of `at_once` wait for, and no more. As many wait for hosts that have not answered yet.
    A call waits for `timeout` at most.
    """

    def __init__(
        self,
        *,
        timeout: float = 5.0,
        max_size: int = 256 * 1024,
        allow: Iterable[str] = (),
        ca_file: str | Path | None = None,
        resolve: Resolve = resolve,
        at_once: int = 8,
    ) -> None:
        if timeout <= 0 or max_size < 1 or at_once < 1:
            setting, value = "timeout, max_size, at_once", (timeout, max_size, at_once)
            raise ConfigurationError(setting, value, "use numbers above 0")
        self.timeout = timeout
        self._joining = max(1, at_once // 4)
        self._flights = Flights()
        self._lanes = Lanes(at_once)
        self._max_size = max_size
        self._allow = allowed(allow)
        self._resolve = resolve
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            try:
                self._tls.load_verify_locations(ca_file)
            except (OSError, ssl.SSLError):
                raise ConfigurationError("ca_file", str(ca_file), "name a file of PEM certificates") from None

    def __call__(self, request: Outgoing) -> Response:
        """Return the response, whatever its status; raises `FetchFailed` if there is none."""
        if not is_shared(request):
            return self.send(request)
        flight, mine = self._flights.board(request)
        if mine:
            self._fly(flight, request)
        elif flight.waiting > self._joining and not flight.answer.done():
            raise FetchFailed("enough requests wait for the same answer")
        try:
            return flight.answer.result(self.timeout)
        except TimeoutError:
            raise FetchFailed(f"no answer came within {self.timeout} seconds") from None

    def _fly(self, flight: Flight, request: Outgoing) -> None:
        """Make the request, and hand the answer to all who wait: also where this thread is interrupted."""
        answer: Response | Exception = FetchFailed("the request was given up")
        try:
            answer = self._in_lane(request)
        finally:
            self._flights.land(flight, answer)

    def _in_lane(self, request: Outgoing) -> Response | Exception:
        """Return the answer, or why there is none, when the host's turn has come."""
        host, called, answered = host_of(request.url), Event(), False
        waiting = Waiting(host, inf, called.set, lambda: None)
        if not self._lanes.enter(waiting, most=self._joining):
            return FetchFailed("enough requests wait for hosts that have not answered yet")
        try:
            if not called.wait(self.timeout) and self._lanes.is_in_line(waiting):
                return FetchFailed("it was not this request's turn in time")
            answer = self.send(request)
            answered = True
            return answer
        except Exception as failure:  # whatever it is, all who wait hear of it
            return failure
        finally:
            if not self._lanes.give_up(waiting):
                self._lanes.leave(host, answered=answered)

    def send(self, request: Outgoing) -> Response:
        """Send a request, without sharing others'; raises `FetchFailed` if there is no response."""
        try:
            url = parse_url(request.url)
            if url.scheme not in _PORTS or url.host is None:
                raise FetchFailed("the URL is not one of https or http")
        except urllib3.exceptions.LocationParseError:
            raise FetchFailed("the URL is none") from None
        try:
            return self._send(request, url)
        # ValueError: the name can't be put into the DNS, or a header would be two.
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError, Forbidden) as error:
            raise FetchFailed(f"{url.host}: {type(error).__name__}") from error

    def _send(self, request: Outgoing, url: Url) -> Response:
        """Send the request to the first address that accepts a connection."""
        deadline = monotonic() + self.timeout
        assert url.host is not None and url.scheme is not None
        host, is_secure = url.host.strip("[]"), url.scheme == "https"
        port = url.port or _PORTS[url.scheme]
        addresses = permitted(host, port, is_secure, self._allow, self._resolve)
        failure: Exception | None = None
        for tried, address in enumerate(addresses):
            at = At(address, port, host, self._tls if is_secure else None, tries=len(addresses) - tried)
            try:
                return self._exchange(at, request, url, deadline)
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                failure = error
        assert failure is not None
        raise failure

    def _exchange(self, at: At, request: Outgoing, url: Url, deadline: float) -> Response:
        headers = {"Host": url.netloc or "", "User-Agent": "oauthcore", "Accept-Encoding": "identity"}
        with at.pool(deadline) as pool:
            answer = pool.request(
                request.method,
                url.request_uri,
                body=request.body or None,
                headers=headers | dict(request.headers),
                redirect=False,
                retries=False,
                preload_content=False,
            )
            body, enough = bytearray(), None if request.max_size is None else request.max_size + 1
            for piece in answer.stream(PIECE if enough is None else min(PIECE, enough), decode_content=False):
                body += piece
                if enough is not None and len(body) >= enough:
                    del body[enough:]
                    break
                if len(body) > self._max_size:
                    raise FetchFailed(f"{url.host}: the answer has more than {self._max_size} bytes")
            return Response(answer.status, tuple(answer.headers.items()), bytes(body))


@attrs.frozen
class At:
    """An address that was looked at, and the name that it was found under: the certificate is to be for that.

    `tries` is how many addresses share the time that is left for connecting.
    """

    address: str
    port: int
    host: str
    tls: ssl.SSLContext | None
    tries: int

    def pool(self, deadline: float) -> urllib3.HTTPConnectionPool:
        """Make a pool of one connection, which is given up at the deadline."""
        left = max(deadline - monotonic(), 0.001)
        timeout = Timeout(connect=left / self.tries, read=left)
        if self.tls is None:
            pool = urllib3.HTTPConnectionPool(self.address, self.port, timeout=timeout)
        else:
            pool = urllib3.HTTPSConnectionPool(
                self.address, self.port, timeout=timeout, ssl_context=self.tls, server_hostname=self.host
            )
        pool.ConnectionCls = type("Timed", (pool.ConnectionCls,), {"response_class": until(deadline)})
        return pool
