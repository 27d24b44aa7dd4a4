"""The wire as values: what came in as a `Request`, what goes out as a `Response`.

An adapter makes the one from its server's bytes and turns the other back into bytes. Nothing here knows OAuth.
Bodies, header values and query strings may hold secrets, so no repr shows them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

import attrs

from oauthcore.per_request import per_request
from oauthcore.wire.text import ascii_lower, lower_names

Headers = tuple[tuple[str, str], ...]


def _path_of(target: str) -> str:
    return repr(target.partition("?")[0])


@attrs.frozen
class Peer:
    """Describe the other end of a connection, as far as the host knows and trusts it.

    `address` is an IP address in its usual spelling, None if there is none (a unix socket). `is_secure` is true if the
    request came by TLS. `certificate` is the client's certificate, in DER: the client has proven that it has the
    private key. With `has_trusted_chain` the host has also verified that an authority which it trusts has issued it;
    otherwise anybody may have written what is in it.
    """

    address: str | None = None
    is_secure: bool = False
    certificate: bytes | None = attrs.field(default=None, repr=False)
    has_trusted_chain: bool = False


@per_request
class Request:
    """Carry one HTTP request.

    `target` is the request line's target, path and query, still percent-encoded; `headers` are pairs of text
    (ISO 8859-1 where the server hands out bytes), names in any case, kept in lower case; `body` is complete.
    `peer` is None if the host does not say who sent it.
    """

    method: str
    target: str = attrs.field(repr=_path_of)
    headers: Headers = attrs.field(default=(), converter=lower_names, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    peer: Peer | None = attrs.field(default=None, repr=False)

    @property
    def path(self) -> str:
        """Return the target's path as it was sent: routes are compared byte for byte."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return the target's query as it was sent, without the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """Return the header of that lower-case name, None if there is none.

        Several lines are one list (RFC 9110 section 5.3). So an attacker can't make us use one line and a proxy
        another; a header that may be there only once, such as a content type, then has an invalid value.
        """
        found = None
        for key, value in self.headers:
            if key == name:
                found = value if found is None else f"{found}, {value}"
        return found

    def headers_named(self, name: str) -> list[str]:
        """Return every value sent under that lower-case name."""
        return [value for key, value in self.headers if key == name]


@attrs.frozen
class Outgoing:
    """Carry one HTTP request to another server: `url` is absolute; `headers` and `body` are sent as they are.

    `max_size`, in bytes, is the longest acceptable response, if known. The fetcher may stop reading one byte after that
    and return the truncated body, which is refused for its length.
    """

    method: str
    url: str = attrs.field(repr=_path_of)
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    max_size: int | None = None


# A sentence and an excerpt: more would let an attacker fill the log.
MAX_REASON = 500


def _in_one_line(text: str) -> str:
    """Keep a reason from looking like two lines of a log, and from being none that can be written."""
    return text[:MAX_REASON] if text[:MAX_REASON].isprintable() else json.dumps(text[:MAX_REASON])[1:-1]


@attrs.frozen
class Refusal:
    """Say why a request was refused, to the log alone: no part of this goes out.

    `code` is the OAuth error code that did go out, `reason` the sentence for the operator, in which there may be
    something that was sent, `cause` the exception behind a 500 or a 503.
    """

    code: str
    reason: str = attrs.field(converter=_in_one_line)
    cause: BaseException | None = attrs.field(default=None, eq=False)


@per_request
class Response:
    """Carry one HTTP response; `refusal` is for the log and is never sent."""

    status: int
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    refusal: Refusal | None = None

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case."""
        for key, value in self.headers:
            if ascii_lower(key) == ascii_lower(name):
                return value
        return None


def with_headers(response: Response, extra_headers: Headers) -> Response:
    """Return a response with more headers, after its own."""
    return Response(response.status, response.headers + extra_headers, response.body, response.refusal)


def complete(response: Response) -> Headers:
    """Return a response's headers and what every host adds: that types are not to be guessed, the body's length."""
    headers = response.headers
    # A JSON error with text of a request in it must not be sniffed as HTML.
    if response.header("x-content-type-options") is None:
        headers = (*headers, ("X-Content-Type-Options", "nosniff"))
    if response.status in {204, 304}:  # RFC 9110 section 8.6: they have none, not even 0
        return headers
    return (*headers, ("Content-Length", str(len(response.body))))


# RFC 6749 section 5.1: both, because HTTP/1.0 caches still exist.
NO_STORE: Headers = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
# A type for no body at all: there are gateways that insist on one, and frameworks that guess.
NO_BODY = ("Content-Type", "text/plain; charset=utf-8")
_JSON: Headers = (("Content-Type", "application/json"), *NO_STORE)


def _encoder() -> Callable[[object, int], Iterable[str]]:
    """Return the encoder that `json.dumps` creates at each call and then calls once, a third of its time.

    It is created as `JSONEncoder.iterencode` does; if Python has none in C, that method is used.
    """
    plain = json.JSONEncoder()
    make: Callable[..., Callable[[object, int], Iterable[str]]] | None = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda members, _: plain.iterencode(members)
    spell = json.encoder.encode_basestring_ascii
    return make(None, plain.default, spell, None, plain.key_separator, plain.item_separator, False, False, True)


_json_pieces = _encoder()


def json_response(status: int, members: Mapping[str, object], extra: Headers = ()) -> Response:
    """Answer with a JSON object that no cache keeps."""
    return Response(status, _JSON + extra, "".join(_json_pieces(members, 0)).encode("ascii"))


def see_other(location: str, extra: Headers = ()) -> Response:
    """Send the browser elsewhere with GET (303: RFC 9700 section 4.12 forbids 307, which would repeat a password)."""
    return Response(303, (("Location", location), NO_BODY, *NO_STORE, *extra))
