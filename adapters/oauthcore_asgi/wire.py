"""ASGI's messages as values and back: no OAuth here, and nothing of any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

import attrs

from oauthcore import Peer, Request, Response
from oauthcore.wire.certificate_headers import der_of_pem
from oauthcore.wire.cors import CORS
from oauthcore.wire.http import NO_STORE, Headers
from oauthcore.wire.mounting import whole_paths
from oauthcore.wire.parameters import MAX_LENGTH
from oauthcore.wire.text import ascii_lower, decimal

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# No body is as long as what more digits could spell, and `int` raises for very many.
LENGTH_DIGITS = 19


@attrs.frozen
class Answer:
    """An ASGI application that gives one response, whatever it is asked."""

    response: Response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; to HEAD without its body, and to a WebSocket's handshake by closing it: that is a 403."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await send_response(self.response, scope, send)


async def send_response(response: Response, scope: Scope, send: Send) -> None:
    """Send a response; to HEAD without its body."""
    body = b"" if scope["method"] == "HEAD" else response.body
    with suppress(OSError):  # the client went away, as some servers say (ASGI 2.4)
        await send({"type": "http.response.start", "status": response.status, "headers": raw_headers(response)})
        await send({"type": "http.response.body", "body": body})


def raw_headers(response: Response) -> list[tuple[bytes, bytes]]:
    """Return a response's headers as ASGI has them, in bytes, the names in lower case, and what every host adds.

    That is what `complete` adds; here the names are in lower case already, so none has to be looked for in any case.
    """
    headers = [_ENCODED.get(pair) or _encoded(pair) for pair in response.headers]
    if all(name != _NO_SNIFFING[0] for name, _ in headers):
        headers.append(_NO_SNIFFING)
    if response.status not in {204, 304}:  # RFC 9110 section 8.6: they have none, not even 0
        headers.append((b"content-length", b"%d" % len(response.body)))
    return headers


def _encoded(pair: tuple[str, str]) -> tuple[bytes, bytes]:
    return ascii_lower(pair[0]).encode("ascii"), pair[1].encode("latin-1")


# What is in nearly every response is encoded once. Only pairs that are the same in all of them are here, and none is
# added later: of a Location or a cookie, which hold secrets, nothing is remembered.
USUAL: Headers = (("Content-Type", "application/json"), *NO_STORE, *CORS)
_ENCODED = {pair: _encoded(pair) for pair in USUAL}
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# Neither is a secret, and most requests come from a few proxies.
_peer = lru_cache(maxsize=1_024)(Peer)


def head_of(scope: Scope, path: str) -> Request:
    """Return a request without its body, for that path."""
    return request_from(scope, path, b"")


def request_from(scope: Scope, path: str, body: bytes) -> Request:
    """Return a request for that path."""
    query = scope.get("query_string", b"").decode("latin-1")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    client = scope.get("client")
    peer = _peer(client[0] if client else None, scope.get("scheme") in {"https", "wss"})
    if "tls" in (scope.get("extensions") or ()):
        peer = with_certificate(peer, scope["extensions"]["tls"])
    return Request(scope.get("method", "GET"), f"{path}?{query}" if query else path, headers, body, peer)


def with_certificate(peer: Peer, tls: Mapping[str, Any]) -> Peer:
    """Return the other end with the certificate that it has shown, as ASGI's TLS extension has it; itself without one.

    Whether an authority was verified is what the server says: there is no error then, and there is a name.
    """
    chain = tuple(tls.get("client_cert_chain") or ())
    certificate = der_of_pem(chain[0]) if chain and isinstance(chain[0], str) else None
    if certificate is None:
        return peer
    is_verified = tls.get("client_cert_error") is None and bool(tls.get("client_cert_name"))
    return attrs.evolve(peer, certificate=certificate, has_trusted_chain=is_verified)


def stated_length(scope: Scope) -> str:
    """Return what a request's `Content-Length` says, blank for none; several are one list, which is no number."""
    return b", ".join([value for name, value in scope["headers"] if name == b"content-length"]).decode("latin-1")


async def body_of(stated: str, receive: Receive) -> bytes | Response:
    """Read a body of that `Content-Length`, or give the response to one that is too large or not all there."""
    length = decimal(stated or "0", LENGTH_DIGITS)
    if length is None:
        return plain(HTTPStatus.BAD_REQUEST)
    if length > MAX_LENGTH:
        return TOO_LARGE
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Half a form can be a whole one of another meaning. Some servers say so of chunks that are none, too.
            return plain(HTTPStatus.BAD_REQUEST)
        body += message.get("body", b"")
        if len(body) > MAX_LENGTH:
            return TOO_LARGE
        more = message.get("more_body", False)
    return bytes(body)


def paths_of(scope: Scope, prefix: str = "") -> Iterator[str]:
    """Return the paths that may be the one the client sent, still percent-encoded, the likeliest first.

    A mounted application is told its prefix as `root_path`; whether `path` still has it is where hosts differ, and
    frameworks that cut it off leave `raw_path` as it was. `prefix` is one that no host tells of.
    """
    raw = scope.get("raw_path")
    seen = quote(scope["path"], safe="/:@!$&'()*+,;=~") if raw is None else raw.decode("latin-1").partition("?")[0]
    return whole_paths(seen, scope.get("root_path", ""), prefix)


def plain(status: HTTPStatus) -> Response:
    """Say no more than the status."""
    return Response(status, (("Content-Type", "text/plain; charset=utf-8"),), f"{status.phrase}.\n".encode())


TOO_LARGE = plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
