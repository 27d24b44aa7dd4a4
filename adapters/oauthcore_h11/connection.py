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
from http import HTTPStatus
from typing import TypeAlias

import attrs
import h11

from oauthcore.http import Headers, Request, Response


@attrs.frozen
class Limits:
    """Say how many bytes a request may have: its line and headers together, and its body."""

    # 16 KiB is what most servers take (Tomcat 8, IIS 16, Node 16); a form of tokens needs far less than 64 KiB.
    head: int = 16 * 1024
    body: int = 64 * 1024


LIMITS = Limits()


@attrs.frozen
class Send:
    """Ask the transport to send bytes."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Close:
    """Ask the transport to hang up, once everything before this is sent."""


Event: TypeAlias = Request | Send | Close


class Phase(Enum):
    """Name what a connection waits for."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of a request's headers"
    BODY = "the rest of a request's body"


class UnsendableResponse(Exception):
    """Report that a response can't be put into HTTP; nothing of it was sent, another may be given in its place."""


class _Refused(Exception):
    """Refuse a request before the application sees it, and the connection with it."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


_SCHEME_AND_HOST = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_FRAMING = frozenset({"content-length", "transfer-encoding", "date"})


class Connection:
    """Speak HTTP/1.1 with one client (RFC 9110, RFC 9112): whatever bytes come, none raises."""

    def __init__(self, clock: Callable[[], float], limits: Limits = LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)
        self._method: bytes | None = None
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._is_last = False

    @property
    def phase(self) -> Phase:
        """Tell what is being waited for."""
        if self._request is not None:
            return Phase.BODY
        return Phase.HEAD if self._h11.trailing_data[0] else Phase.IDLE

    def receive(self, data: bytes) -> list[Event]:
        """Take what arrived, `b""` for the end of it; not to be called between a `Request` and its `respond`."""
        self._h11.receive_data(data)
        return self._events()

    def respond(self, response: Response) -> list[Event]:
        """Answer the request last given out; then go on with what has arrived meanwhile.

        Raises `UnsendableResponse` where h11 would refuse the response, as for a line break in a header.
        """
        sent = self._spell(response)
        if self._h11.our_state is h11.MUST_CLOSE or self._h11.their_state is not h11.DONE:
            return [Send(sent), Close()]
        self._h11.start_next_cycle()
        self._method = None
        return [Send(sent), *self._events()]

    def finish(self) -> None:
        """Let the response to come be the last one: it says so, and `Close` follows it."""
        self._is_last = True

    def give_up(self) -> list[Event]:
        """Stop waiting: with 408 where a request has begun (RFC 9110 section 15.5.9), silently where none has."""
        if self.phase is Phase.IDLE:
            return [Close()]
        return self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _events(self) -> list[Event]:
        events: list[Event] = []
        try:
            while (event := self._next()) is not None:
                events.append(event)
                if isinstance(event, Request | Close):
                    break
        except _Refused as refused:
            events.extend(self._refuse(refused.status))
        except h11.RemoteProtocolError as error:
            events.extend(self._refuse(HTTPStatus(error.error_status_hint)))
        return events

    def _next(self) -> Event | None:
        """Give the next event, or None until more arrives."""
        while True:
            buffered = len(self._h11.trailing_data[0])
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
                        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                case h11.EndOfMessage():
                    return self._complete()
                case h11.ConnectionClosed():
                    return Close()
                case _:  # NEED_DATA; PAUSED can't be, since nothing is read between a request and its response
                    return None

    def _begin(self, request: h11.Request, head_size: int) -> None:
        self._request, self._method = request, request.method
        # h11 counts only a head that is not complete yet; one that came in a single piece is counted here.
        if head_size > self._limits.head:
            raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        headers = dict(request.headers)
        # Whoever stands between may have believed the other one (RFC 9112 section 6.1: request smuggling).
        if b"content-length" in headers and b"transfer-encoding" in headers:
            raise _Refused(HTTPStatus.BAD_REQUEST)
        # Before 100 (Continue), so that a client that asks first is spared the sending (RFC 9110 section 10.1.1).
        if int(headers.get(b"content-length", b"0")) > self._limits.body:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _complete(self) -> Request:
        request, body = self._request, bytes(self._body)
        assert request is not None
        self._request = None
        self._body.clear()
        headers = [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers]
        return Request(request.method.decode("ascii"), origin_form(request.target.decode("ascii")), headers, body)

    def _refuse(self, status: HTTPStatus) -> list[Event]:
        """Answer what is no request, and hang up: nobody knows where the next one would begin."""
        self._is_last = True
        return [Send(self._spell(plain_response(status))), Close()]

    def _spell(self, response: Response) -> bytes:
        has_body = response.status not in {204, 304}
        headers = self._headers(response, has_body=has_body)
        try:
            encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
            head = h11.Response(status_code=response.status, headers=encoded, reason=reason_phrase(response.status))
        except (h11.LocalProtocolError, UnicodeEncodeError):
            # Not "from" it: its text shows the header's value, which may hold a code or a cookie.
            raise UnsendableResponse("the status or a header of the response is not fit to be sent") from None
        pieces = [self._h11.send(head)]
        if has_body and self._method != b"HEAD":
            pieces.append(self._h11.send(h11.Data(data=response.body)))
        pieces.append(self._h11.send(h11.EndOfMessage()))
        return b"".join(pieces)

    def _headers(self, response: Response, *, has_body: bool) -> Headers:
        own: list[tuple[str, str]] = [("Date", formatdate(self._clock(), usegmt=True))]
        if has_body:
            own.append(("Content-Length", str(len(response.body))))
        if self._is_last:
            own.append(("Connection", "close"))
        return (*(pair for pair in response.headers if pair[0].lower() not in _FRAMING), *own)


def origin_form(target: str) -> str:
    """Give a request target without scheme and host, which proxies' clients put before it (RFC 9112 section 3.2.2)."""
    absolute = _SCHEME_AND_HOST.match(target)
    if absolute is None:
        return target
    rest = target[absolute.end() :]
    return rest if rest.startswith("/") else "/" + rest


def reason_phrase(status: int) -> str:
    """Give the phrase for a status, or none for one that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def plain_response(status: HTTPStatus) -> Response:
    """Say no more than the status."""
    return Response(status, (("Content-Type", "text/plain; charset=utf-8"),), f"{status.phrase}.\n".encode())
