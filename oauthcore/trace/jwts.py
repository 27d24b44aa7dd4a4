"""JWTs in a trace: a placeholder keeps the header and the public claims of a token, and has no valid signature.

A replay therefore reads from an unverified token what the server read, including its flaws. Whether the signature was
good is recorded separately, in `Trace.verified`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from oauthcore.digest import base64url
from oauthcore.jose.compact import MAX_LENGTH, Flaw, InvalidJwt, read_claims, read_signed
from oauthcore.jose.strict_json import parse_object

Redact = Callable[[dict[str, Any]], dict[str, Any]]


def looks_signed(text: str) -> bool:
    """Return whether a text has the shape of a JWT, even of a broken one."""
    return text.count(".") == 2 and len(text) <= MAX_LENGTH


def flaw_of(text: str, *, brings_key: bool = False) -> Flaw | None:
    """Return what is wrong with a token apart from its signature; None if nothing is."""
    try:
        _ = read_claims(read_signed(text, brings_key=brings_key).payload)
    except InvalidJwt as invalid:
        return invalid.flaw
    return None


def rebuilt(text: str, redact: Redact, letters: str) -> str | None:
    """Return a token of the same shape with a signature made of `letters`; None if its parts can't be read."""
    header, claims, signature = text.split(".")
    try:
        parts = (
            _json_in_place(_decoded(header), redact),
            _json_in_place(_decoded(claims), redact),
            _letters(len(_decoded(signature)), letters),
        )
    except (ValueError, RecursionError):
        return None
    return ".".join(base64url(part) for part in parts)


def _json_in_place(text: bytes, redact: Redact) -> bytes:
    try:
        members = parse_object(text)
    except ValueError:
        return b"x" * len(text)  # not JSON, like the original
    return json.dumps(redact(members), ensure_ascii=False, separators=(",", ":")).encode()


def _letters(size: int, letters: str) -> bytes:
    return (letters * (1 + size // len(letters))).encode("ascii")[:size]


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("not base64url") from None
