"""Handles that carry their content: while no user is signed in, a request is kept by the browser, not by storage.

Anybody can send any number of authorization requests; stored as records, they would fill a disk in minutes, and a limit
per address would let one user lock out all others behind it. So the handle itself contains the request, and a record is
created only when a user answers.

A handle is signed but not encrypted: its content came through the same browser, or is at a `request_uri` that did. It
is still a secret, with 256 random bits, since anybody who knows it can continue the interaction.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, Literal, get_args

from oauthcore.digest import Secret, encoded, same
from oauthcore.errors import InvalidRequest

HandleKind = Literal["interaction", "logout", "device"]

# 32 bytes in base64url: a random value comes first, then the signature, then what is carried.
_PART = 43

# As much text of a request as is carried. A state of 2 kB and a claims parameter of 3 are honest; what is longer fits
# no URL. A handle is hardly longer than what is in it (deflate takes from text what base64 adds), and with a path and a
# proof beside it stays below the 8000 bytes of RFC 9110 section 4.1.
MAX_CARRIED = 6_000


class TooMuchToCarry(InvalidRequest):
    """Refuse a request with more in it than can wait for a person."""

    description = "The request's parameters are too long."


class Handles:
    """Write handles and read them, for one issuer, under the server's token key (keyed BLAKE2b, RFC 7693)."""

    __slots__ = ("_seeds",)

    def __init__(self, issuer: str, token_key: bytes) -> None:
        self._seeds = {
            kind: hashlib.blake2b(f"handle {kind}\0{issuer}\0".encode(), key=token_key, digest_size=32)
            for kind in get_args(HandleKind)
        }

    def write(self, kind: HandleKind, members: Mapping[str, Any], nonce: Secret) -> Secret:
        """Return a handle that carries the members; `nonce` is a fresh secret, so that no two handles are the same."""
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        payload = encoded(packer.compress(_text_of(members)) + packer.flush()).reveal()
        return Secret(nonce.reveal() + self._signature(kind, nonce.reveal() + payload) + payload)

    def read(self, kind: HandleKind, handle: Secret) -> Mapping[str, Any] | None:
        """Return what a handle carries; None for one that carries nothing, or was not written here."""
        text = handle.reveal()
        # Fixed lengths: nothing has to be searched for in what a stranger sent.
        nonce, signature, payload = text[:_PART], text[_PART : 2 * _PART], text[2 * _PART :]
        # Before anything is unpacked: a few bytes of a stranger's could unpack to a gigabyte.
        if not payload or not same(signature, self._signature(kind, nonce + payload)):
            return None
        packed = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        # What was signed here is our own JSON, so it can be parsed.
        members: Mapping[str, Any] = json.loads(
            zlib.decompress(packed, -zlib.MAX_WBITS).decode("utf-8", "surrogatepass")
        )
        return members

    def _signature(self, kind: HandleKind, text: str) -> str:
        state = self._seeds[kind].copy()
        # The random value has one length, so that the two can't be cut apart elsewhere.
        state.update(text.encode("utf-8", "surrogatepass"))
        return encoded(state.digest()).reveal()


# JSON takes at most six bytes for a character (`\u0000`); the names around the texts take less than a sixth of it all.
SURELY_CARRIED = MAX_CARRIED // 6 - MAX_CARRIED // 36


def check_carried(members: Mapping[str, Any]) -> None:
    """Refuse what is too long to be carried, in the JSON that it would be."""
    if len(_text_of(members)) > MAX_CARRIED:
        raise TooMuchToCarry(f"the parameters that are kept take more than {MAX_CARRIED} bytes")


def _text_of(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
