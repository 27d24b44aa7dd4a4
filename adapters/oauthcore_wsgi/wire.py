"""WSGI's environ as values and back (PEP 3333): no OAuth here, and nothing of any framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from oauthcore import Peer, Request, Response
from oauthcore.wire.certificate_headers import der_of_pem
from oauthcore.wire.http import Headers, complete
from oauthcore.wire.parameters import MAX_LENGTH
from oauthcore.wire.text import ascii_lower, decimal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# No body is as long as what more digits could spell, and `int` raises for very many.
LENGTH_DIGITS = 19

_UNPREFIXED = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


@attrs.frozen
class Answer:
    """A WSGI application that gives one response, whatever it is asked."""

    response: Response

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Return the response; to HEAD without its body."""
        start_response(status_line(self.response.status), list(complete(self.response)))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.response.body]


def status_line(status: int) -> str:
    """Return a status with its phrase, as WSGI wants it."""
    return f"{status} {HTTPStatus(status).phrase}"


def head_of(environ: Mapping[str, Any]) -> Request:
    """Return a request without its body; the path with the prefix it is mounted at, as the client sent it."""
    path = path_of(environ)
    query = environ.get("QUERY_STRING", "")
    peer = Peer(environ.get("REMOTE_ADDR"), environ.get("wsgi.url_scheme") == "https")
    if peer.is_secure:
        peer = with_certificate(peer, environ)
    return Request(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, headers_of(environ), b"", peer)


def with_certificate(peer: Peer, environ: Mapping[str, Any]) -> Peer:
    """Return the other end with the certificate that it has shown, as mod_ssl or Gunicorn has it; itself without one.

    No client can set these: what comes from its headers begins with `HTTP_` (PEP 3333).
    """
    certificate = der_of_pem(environ.get("SSL_CLIENT_CERT") or "")
    is_verified = environ.get("SSL_CLIENT_VERIFY") == "SUCCESS"
    if certificate is None and (of_socket := getattr(environ.get("gunicorn.socket"), "getpeercert", None)) is not None:
        # Python's servers ask for a certificate only to verify it: one that is of no authority ends the handshake.
        certificate, is_verified = of_socket(True), True
    if certificate is None:
        return peer
    return attrs.evolve(peer, certificate=certificate, has_trusted_chain=is_verified)


def path_of(environ: Mapping[str, Any]) -> str:
    """Return the path with the prefix that the application is mounted at, as the client sent it."""
    # PEP 3333 hands out paths as bytes spelled in ISO 8859-1, already percent-decoded.
    return quote(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), "/:@!$&'()*+,;=~", "latin-1")


def headers_of(environ: Mapping[str, Any]) -> Headers:
    """Return the headers, their names as WSGI left them: lower case, and hyphens for underscores."""
    fields = ((_UNPREFIXED.get(name) or field_name(name), value) for name, value in environ.items())
    return tuple((name, value) for name, value in fields if name and value)


def field_name(name: str) -> str:
    """Return the header that a variable holds, in lower case; blank for a variable that holds none."""
    return ascii_lower(name[5:].replace("_", "-")) if name.startswith("HTTP_") else ""


def body_of(environ: Mapping[str, Any]) -> bytes | Response:
    """Read a request's body, or give the response to one that is too large or not all there.

    Without a length it is read only where the server says that it ends the stream (`wsgi.input_terminated`): any
    other would be waited for until the client hangs up.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared and not environ.get("wsgi.input_terminated"):
        return b""
    length = decimal(declared, LENGTH_DIGITS)
    if declared and length is None:
        return plain(HTTPStatus.BAD_REQUEST)
    if length is not None and length > MAX_LENGTH:
        return TOO_LARGE
    try:
        body: bytes = environ["wsgi.input"].read(MAX_LENGTH + 1 if length is None else length)
    except Exception:  # the client went away, or its chunks are none; servers differ in how they say so
        return plain(HTTPStatus.BAD_REQUEST)
    if len(body) > MAX_LENGTH:
        return TOO_LARGE
    # Half a form can be a whole one of another meaning.
    return body if length is None or len(body) == length else plain(HTTPStatus.BAD_REQUEST)


def plain(status: HTTPStatus) -> Response:
    """Say no more than the status."""
    return Response(status, (("Content-Type", "text/plain; charset=utf-8"),), f"{status.phrase}.\n".encode())


TOO_LARGE = plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
