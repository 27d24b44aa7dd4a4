"""One-way functions of secrets.

A code, token, client secret or handle reaches storage only as a `Digest`: SHA-256, separated by kind and issuer, so
that what is stolen from one place means nothing in another. Secrets are 256-bit random, so no slow hash is needed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal, NewType

import attrs

Digest = NewType("Digest", str)
"""What storage may know of a secret: 64 hexadecimal digits."""

Kind = Literal[
    "client_secret",
    "authorization_code",
    "access_token",
    "refresh_token",
    "grant",
    "interaction",
    "consent",
    "browser",
]
Proof = Literal["access_token", "refresh_token", "resume"]


@attrs.frozen
class Secret:
    """Hold a value that must not be seen: it has no repr, and only `reveal` gives it out."""

    _value: str = attrs.field(repr=False)

    def reveal(self) -> str:
        """Give the value, to be sent to its owner or digested, and never to be kept or logged."""
        return self._value


class Digester:
    """Digest secrets for one issuer."""

    __slots__ = ("_issuer", "_seeds")

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._seeds: dict[str, hashlib._Hash] = {}

    def __call__(self, kind: Kind, secret: Secret) -> Digest:
        """Digest a secret as that kind."""
        # The prefix is hashed once per kind and the state copied: half the work of hashing it anew.
        seed = self._seeds.get(kind)
        if seed is None:
            seed = self._seeds.setdefault(kind, hashlib.sha256(f"{kind}\0{self._issuer}\0".encode()))
        state = seed.copy()
        state.update(secret._value.encode("utf-8", "surrogatepass"))
        return Digest(state.hexdigest())


class Derivation:
    """Derive secrets from secrets under the server's token key (HMAC-SHA-256), for one issuer.

    The successor of a refresh token is derived from it, so that an honest retry gets the same pair from any worker
    though only digests are stored. Without the key nobody derives anything from a leaked database or an old token.
    """

    __slots__ = ("_issuer", "_key")

    def __init__(self, issuer: str, token_key: bytes) -> None:
        self._issuer = issuer
        self._key = token_key

    def __call__(self, proof: Proof, secret: Secret) -> Secret:
        """Derive another secret of as many bits, for one purpose."""
        message = f"{proof}\0{self._issuer}\0{secret.reveal()}".encode("utf-8", "surrogatepass")
        return encoded(hmac.digest(self._key, message, "sha256"))


def encoded(random_bytes: bytes) -> Secret:
    """Spell bytes as a secret fit for URLs and headers (base64url without padding)."""
    return Secret(base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii"))


def same(one: str, other: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
