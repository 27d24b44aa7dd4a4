"""One HTTP/1.1 connection of a server, without I/O: bytes in, events out; a response in, events out.

Two rules. After a `Request` nothing more is read until `respond` has been called for it, so that pipelined requests
are answered one at a time and in order; a `Request` is therefore always the last event of a list. After a `Close`
there is nothing more to do but to send what came before it and hang up.

Time is an input: `clock` gives seconds since the Unix epoch, for the `Date` header. When to give up waiting is the
transport's decision; `phase` says what is being waited for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import TypeAlias

import attrs
import h11

from oauthcore.wire.http import Headers, Peer, Request, Response
from oauthcore_h11.response_head import field_lines, status_line


@attrs.frozen(kw_only=True)
class Limits:
    """Say how much a connection may send: bytes of a target, of a line and headers together, of a body; requests."""

    # RFC 9110 section 4.1 recommends that 8000 bytes of URI be taken; a request by value needs a few of them.
    target: int = 8 * 1024
    # 16 KiB is what most servers take (Tomcat 8, IIS 16, Node 16); a form of tokens needs far less than 64 KiB.
    head: int = 16 * 1024
    body: int = 64 * 1024
    requests: int = 1_000


LIMITS = Limits()


@attrs.frozen
class Send:
    """Ask the transport to send bytes."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Close:
    """Ask the transport to hang up, once everything before this is sent."""


@attrs.frozen
class Refused:
    """Report a request that was refused before the application could see it; the response to the peer follows."""

    status: int
    method: str | None
    path: str | None


Event: TypeAlias = Request | Refused | Send | Close
PeerOf: TypeAlias = Callable[[Headers], Peer | None]
"""Who sent a request with these headers, names in lower case."""
TooLarge: TypeAlias = Callable[[str], Response | None]
"""What to answer a request whose body is too large with, by its path; None for no more than the status."""


class Phase(Enum):
    """Name what a connection waits for its client to do.

    `Connection.phase` is one of the three that are about a request; the others are the transport's.
    """

    HANDSHAKE = "agree on TLS"
    FIRST = "send the first byte of its first request"
    IDLE = "send the first byte of another request"
    HEAD = "send the rest of a request's headers"
    BODY = "send the rest of a request's body"
    ANSWER = "read an answer"
    CLOSE = "close the connection"


class _Objection(Exception):
    """Refuse a request before the application sees it, and the connection with it."""

    def __init__(self, status: HTTPStatus, headers: Headers = ()) -> None:
        super().__init__(status.phrase)
        self.status = status
        self.headers = headers


_SCHEME_AND_HOST = re.compile(r"https?://[^/?#]*", re.IGNORECASE | re.ASCII)
# RFC 3986 sections 3.2.2 and 3.2.3: a host, which may be empty, and a port.
_HOST = re.compile(rb"(?:\[[A-Za-z0-9\-._~!$&'()*+,;=:]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::[0-9]*)?")
# What h11 is told of a response: that one is sent, whether it is the last, and that nothing more follows. 304 says so
# without a header (RFC 9112 section 6.3), and does so for every method: a 204 would make a tunnel of CONNECT.
_ANSWERED = h11.Response(status_code=HTTPStatus.NOT_MODIFIED, headers=[])
_ANSWERED_LAST = h11.Response(status_code=HTTPStatus.NOT_MODIFIED, headers=[("Connection", "close")])
_ENDED = h11.EndOfMessage()
# RFC 9110 section 15.5.16: so that the client learns what it should have sent.
_NO_CODING: Headers = (("Accept-Encoding", "identity"),)


def _nobody(headers: Headers) -> Peer | None:
    return None


# RFC 9110 section 5.6.7 knows no fractions, so all answers of one second share one text. Two, since connections may
# straddle the turn of a second.
@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}\r\n"


class Connection:
    """Speak HTTP/1.1 with one client (RFC 9110, RFC 9112): whatever bytes come, none raises."""

    def __init__(
        self,
        clock: Callable[[], float],
        limits: Limits = LIMITS,
        peer_of: PeerOf = _nobody,
        too_large: TooLarge = lambda path: None,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._peer_of = peer_of
        self._too_large = too_large
        self._requests = 0
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)
        self._method: bytes | None = None
        self._request: h11.Request | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._is_last = False

    @property
    def phase(self) -> Phase:
        """Return what the connection is waiting for."""
        if self._request is not None:
            return Phase.BODY
        return Phase.HEAD if self._h11.trailing_data[0] else Phase.IDLE

    def receive(self, data: bytes) -> list[Event]:
        """Take what arrived, `b""` for the end of it; not to be called between a `Request` and its `respond`."""
        self._h11.receive_data(data)
        return self._events()

    def respond(self, response: Response) -> list[Event]:
        """Respond to the last request; then continue with what has been received meanwhile.

        Raises `UnsendableResponse` for a response that HTTP can't represent, as with a line break in a header.
        """
        sent = self._spell(response)
        if self._h11.our_state is h11.MUST_CLOSE or self._h11.their_state is not h11.DONE:
            return [Send(sent), Close()]
        self._h11.start_next_cycle()
        self._method = None
        # Most clients wait for the answer, and to find nothing takes h11 as long as to find something.
        if self._h11.trailing_data == (b"", False):
            return [Send(sent)]
        return [Send(sent), *self._events()]

    def finish(self) -> None:
        """Make the next response the last: it has `Connection: close`, and `Close` follows it."""
        self._is_last = True

    def give_up(self) -> list[Event]:
        """Stop waiting: with 408 where a request has begun (RFC 9110 section 15.5.9), silently where none has."""
        if self.phase is Phase.IDLE:
            return [Close()]
        return self._refuse(_Objection(HTTPStatus.REQUEST_TIMEOUT))

    def turn_away(self) -> list[Event]:
        """Refuse whatever comes, unread: there is no place for this connection (RFC 9110 section 15.6.4)."""
        return self._refuse(_Objection(HTTPStatus.SERVICE_UNAVAILABLE, (("Retry-After", "1"),)))

    def _events(self) -> list[Event]:
        events: list[Event] = []
        try:
            while (event := self._next()) is not None:
                events.append(event)
                if not isinstance(event, Send):
                    break
        except _Objection as objection:
            events.extend(self._refuse(objection))
        except h11.RemoteProtocolError as error:
            events.extend(self._refuse(_Objection(self._status_of(error))))
        return events

    def _status_of(self, error: h11.RemoteProtocolError) -> HTTPStatus:
        """Return the status for a request that h11 can't parse: h11 does not distinguish the causes."""
        status = HTTPStatus(error.error_status_hint)
        has_begun = self._request is not None
        if status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE and not has_begun:
            first_line_ends = b"\n" in self._h11.trailing_data[0]
            return status if first_line_ends else HTTPStatus.REQUEST_URI_TOO_LONG
        return status

    def _next(self) -> Event | None:
        """Return the next event, or None until more arrives."""
        while True:
            # Only where a head may come: to look copies what is there.
            buffered = len(self._h11.trailing_data[0]) if self._request is None else 0
            match self._h11.next_event():
                case h11.Request() as request:
                    self._begin(request, buffered - len(self._h11.trailing_data[0]))
                    if self._h11.they_are_waiting_for_100_continue:
                        return Send(
                            self._h11.send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
                        )
                case h11.Data() as piece:
                    self._body += piece.data
                    if len(self._body) > self._limits.body:
                        raise _Objection(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                case h11.EndOfMessage():
                    return self._complete()
                case h11.ConnectionClosed():
                    return Close()
                case _:  # NEED_DATA; PAUSED can't be, since nothing is read between a request and its response
                    return None

    def _begin(self, request: h11.Request, head_size: int) -> None:
        self._request, self._method = request, request.method
        # Once: h11 makes each pair anew whenever it is looked at.
        self._fields = list(request.headers)
        self._requests += 1
        if self._requests >= self._limits.requests:
            self._is_last = True
        headers = dict(self._fields)
        if not request.http_version.startswith(b"1."):
            raise _Objection(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        # It is not used here, but a folded line could hide it from a proxy (RFC 9112 section 3.2).
        if not _HOST.fullmatch(headers.get(b"host", b"")):
            raise _Objection(HTTPStatus.BAD_REQUEST)
        if len(request.target) > self._limits.target:
            raise _Objection(HTTPStatus.REQUEST_URI_TOO_LONG)
        # h11 counts only a head that is not complete yet; one that came in a single piece is counted here.
        if head_size > self._limits.head:
            raise _Objection(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        # A proxy may have used the other one (RFC 9112 section 6.1: request smuggling).
        if b"content-length" in headers and b"transfer-encoding" in headers:
            raise _Objection(HTTPStatus.BAD_REQUEST)
        if request.method == b"CONNECT":  # this is no proxy, and what follows would be no HTTP
            raise _Objection(HTTPStatus.NOT_IMPLEMENTED)
        if b"content-encoding" in headers and self._listed(b"content-encoding") - {b"identity"}:
            raise _Objection(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_CODING)
        if b"expect" in headers and self._listed(b"expect") - {b"100-continue"}:
            raise _Objection(HTTPStatus.EXPECTATION_FAILED)  # RFC 9110 section 10.1.1
        # Before 100 (Continue), so that a client that asks first is spared the sending (RFC 9110 section 10.1.1).
        if int(headers.get(b"content-length", b"0")) > self._limits.body:
            raise _Objection(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _listed(self, name: bytes) -> frozenset[bytes]:
        """Return a field's elements in lower case: several lines of it are one list (RFC 9110 section 5.3)."""
        lines = (value for field, value in self._fields if field == name)
        return frozenset(element.strip(b" \t").lower() for line in lines for element in line.split(b",")) - {b""}

    def _complete(self) -> Request:
        request, fields, body = self._request, self._fields, bytes(self._body)
        assert request is not None
        self._request, self._fields = None, []
        self._body.clear()
        headers = tuple([(name.decode("ascii"), value.decode("latin-1")) for name, value in fields])
        target = origin_form(request.target.decode("ascii"))
        return Request(request.method.decode("ascii"), target, headers, body, self._peer_of(headers))

    def _refuse(self, objection: _Objection) -> list[Event]:
        """Answer an invalid request, and close: it is unknown where the next one would begin."""
        self._is_last = True
        response = None
        method = path = None
        if self._request is not None:
            method = self._request.method.decode("ascii")
            path = origin_form(self._request.target.decode("ascii")).partition("?")[0]
            if objection.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                response = self._too_large(path)
        if response is None:
            response = plain_response(objection.status, objection.headers)
        return [Refused(objection.status, method, path), Send(self._spell(response)), Close()]

    def _spell(self, response: Response) -> bytes:
        """Spell a response, and have h11 know that it was sent; raises `UnsendableResponse` before that."""
        status, body = response.status, response.body
        first_line = status_line(status)
        lines, options = field_lines(response.headers)
        self._h11.send(_ANSWERED_LAST if self._is_last or "close" in options else _ANSWERED)
        self._h11.send(_ENDED)
        # h11 knows why else this may be the last one: the client said so, or speaks HTTP/1.0.
        if self._h11.our_state is h11.MUST_CLOSE:
            options = (options - {"keep-alive"}) | {"close"}
        lines.append(_date(int(self._clock())))
        if status in {204, 304}:  # RFC 9110 section 8.6: they have no body and no length, not even 0
            body = b""
        else:
            lines.append(f"Content-Length: {len(body)}\r\n")
        if options:
            lines.append(f"Connection: {', '.join(sorted(options))}\r\n")
        head = "".join((first_line, *lines, "\r\n")).encode("latin-1")
        return head if self._method == b"HEAD" else head + body


def origin_form(target: str) -> str:
    """Return a request target without scheme and host, which clients of proxies send (RFC 9112 section 3.2.2)."""
    absolute = None if target.startswith("/") else _SCHEME_AND_HOST.match(target)
    if absolute is None:
        return target
    rest = target[absolute.end() :]
    return rest if rest.startswith("/") else "/" + rest


def plain_response(status: HTTPStatus, headers: Headers = ()) -> Response:
    """Say no more than the status."""
    content_type = ("Content-Type", "text/plain; charset=utf-8")
    return Response(status, (content_type, *headers), f"{status.phrase}.\n".encode())
