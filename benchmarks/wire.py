"""The two ends of every measurement: a request as a server's parser hands it out, a response as the socket takes it.

What an adapter needs on the way is here as well, written once and for speed, so that no peer pays for a slow helper
of ours: all share the serialiser, and those that leave forms or Basic credentials to the host share the readers.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote_plus


class RawRequest(NamedTuple):
    """Carry what h11 and ASGI servers hand out: bytes, header names in lower case, the body complete."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def serialised(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Write a response as HTTP/1.1 (RFC 9112 section 4)."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return f"{_STATUS_LINES[status]}{lines}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


def read_form(text: str) -> dict[str, str]:
    """Read form encoding, faster than `urllib.parse.parse_qsl` because most values need no decoding."""
    fields = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "%" in value or "+" in value:
            value = unquote_plus(value)
        fields[name] = value
    return fields


def read_query(target: bytes) -> dict[str, str]:
    """Read the form encoding in a request's target."""
    return read_form(target.partition(b"?")[2].decode("ascii"))


def read_basic(authorization: str) -> tuple[str, str]:
    """Read HTTP Basic credentials, percent-decoded after base64 (RFC 6749 section 2.3.1)."""
    if authorization[:6].lower() != "basic ":
        return "", ""
    client_id, _, secret = base64.b64decode(authorization[6:]).decode("utf-8").partition(":")
    if "%" in client_id or "+" in client_id:
        client_id = unquote_plus(client_id)
    if "%" in secret or "+" in secret:
        secret = unquote_plus(secret)
    return client_id, secret


def mint() -> str:
    """Make 256 random bits in 43 characters, the cheapest way there is."""
    return base64.urlsafe_b64encode(os.urandom(32))[:43].decode("ascii")
