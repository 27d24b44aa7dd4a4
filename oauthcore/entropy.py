"""The source of random values, which the host passes to the server."""

from __future__ import annotations

from typing import Protocol

from oauthcore.digest import Secret, base64url

# RFC 6749 section 10.10 wants a guess to succeed with less than 2^-128, better 2^-160; SHA-256 keeps 256 bits.
SECRET_BYTES = 32


class Entropy(Protocol):
    """Return that many unpredictable bytes; `secrets.token_bytes` fits as it is."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` bytes."""


def mint(entropy: Entropy) -> Secret:
    """Make a fresh secret of 256 bits, 43 characters long."""
    return Secret(base64url(entropy(SECRET_BYTES)))
