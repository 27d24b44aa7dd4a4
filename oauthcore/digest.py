"""One-way functions of secrets.

A code, token, client secret or handle reaches storage only as a `Digest`: SHA-256, separated by kind and issuer, so
that what is stolen from one place means nothing in another. Secrets are 256-bit random, so no slow hash is needed.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from typing import Literal, NewType, get_args

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.per_request import per_request

Digest = NewType("Digest", str)
"""What storage may know of a secret: 64 hexadecimal digits."""

Kind = Literal[
    "client_secret",
    "client_secret_of_issuer",
    "authorization_code",
    "access_token",
    "refresh_token",
    "grant",
    "interaction",
    "consent",
    "withdrawal",
    "browser",
    "jti",
    "logout",
    "assertion",
    "assertion_of_issuer",
    "initial_access_token",
    "registration_access_token",
    "registration_address",
    "registration_slot",
    "registration_user",
    "shared_client",
    "device_code",
    "user_code",
    "device_count",
    "auth_req_id",
    "request_object",
    "pushed_request",
    "dpop_proof",
]
Proof = Literal[
    "access_token",
    "refresh_token",
    "resume",
    "form",
    "subject",
    "sid",
    "registration_access_token",
    "user_code",
    "dpop_nonce",
]

Purpose = Literal["keys", "client_secret", "client_secret_of_issuer", "notification"]

# The digest of a client's secret does not depend on the issuer: a server that moves to another URL must still accept
# it. The form that was used before did, as do the digests of what the issuer itself issues.
_SEPARATED_BEFORE = {"client_secret_of_issuer": "client_secret"}


def _separation(kind: str, issuer: str) -> str:
    return f"{_SEPARATED_BEFORE.get(kind, kind)}\0{'' if kind == 'client_secret' else issuer}\0"


@per_request
class Secret:
    """Hold a value that must not be seen: it has no repr, and only `reveal` returns it."""

    _value: str = attrs.field(repr=False)

    def reveal(self) -> str:
        """Return the value, to be sent to its owner or digested, and never to be kept or logged."""
        return self._value


class Digester:
    """Digest secrets for one issuer."""

    __slots__ = ("_issuer", "_seeds")

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        # The prefix is hashed once per kind and the state copied: half the work of hashing it anew.
        self._seeds = {kind: self._seed(kind) for kind in get_args(Kind)}

    def __call__(self, kind: Kind | str, secret: Secret) -> Digest:
        """Digest a secret of that kind: one of the core's, or one that a host's grant has for its own secrets."""
        state = self._seeds[kind].copy() if kind in self._seeds else self._seed(checked_name(kind))
        state.update(secret._value.encode("utf-8", "surrogatepass"))
        digest: Digest = state.hexdigest()  # type: ignore[assignment]  # `Digest(…)` would be a call in Python
        return digest

    def _seed(self, kind: str) -> hashlib._Hash:
        return hashlib.sha256(_separation(kind, self._issuer).encode())


# Printable ASCII without spaces: a NUL ends a name, and what is sealed goes by names with a space in them. Names
# without a colon are the core's own, those of later versions too: no extension's secret is ever taken for one of them.
_NAME = re.compile(r"(?=.{1,100}\Z)[!-9;-~]+:[!-~]+")


def checked_name(kind: str) -> str:
    """Return an extension's name of a kind of secret; raises `ConfigurationError` if it could be taken for another."""
    if not _NAME.fullmatch(kind):
        remedy = "put a prefix of your own and a colon in front, as in acme:invitation; 100 ASCII characters, no spaces"
        raise ConfigurationError("kind", kind, remedy)
    return kind


class Derivation:
    """Derive secrets from secrets with the server's token key (keyed BLAKE2b, RFC 7693), for one issuer.

    The successor of a refresh token is derived from it, so that an honest retry gets the same pair from any worker
    though only digests are stored. Without the key, nothing can be derived from a leaked database or an old token.
    """

    __slots__ = ("_issuer", "_keys", "_seeds", "_token_key")

    def __init__(self, issuer: str, token_key: bytes) -> None:
        self._issuer, self._token_key = issuer, token_key
        # BLAKE2b takes a key by itself where SHA-256 needs HMAC around it, and its state can be copied: at the time of
        # writing 1 µs instead of 4 for each derivation, of which a refresh has two.
        self._seeds = {proof: self._seed(f"{proof}\0{issuer}\0") for proof in get_args(Proof)}
        self._keys = {
            purpose: self._seed(f"seal {_separation(purpose, issuer)}").digest() for purpose in get_args(Purpose)
        }

    def __call__(self, proof: Proof | str, secret: Secret) -> Secret:
        """Derive another secret of as many bits, for one purpose: one of ours, or one of a grant of the host's."""
        state = (self._seeds.get(proof) or self._seed(f"{checked_name(proof)}\0{self._issuer}\0")).copy()
        state.update(secret._value.encode("utf-8", "surrogatepass"))
        return encoded(state.digest())

    def _seed(self, separation: str) -> hashlib.blake2b:
        return hashlib.blake2b(separation.encode(), key=self._token_key, digest_size=32)

    def key(self, purpose: Purpose) -> bytes:
        """Return a 32-byte key for one purpose, to encrypt what the server needs in plain text later."""
        return self._keys[purpose]


# RFC 4648 section 5. What `base64` does in two more calls is done in one, for every secret that is made.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def encoded(random_bytes: bytes) -> Secret:
    """Spell bytes as a secret fit for URLs and headers (base64url without padding)."""
    return Secret(base64url(random_bytes))


def base64url(data: bytes) -> str:
    """Spell bytes by RFC 4648 section 5, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def same_digest(one: Digest, other: Digest) -> bool:
    """Compare digests without telling by the time taken how much was right."""
    return hmac.compare_digest(one, other)


def same(one: str, other: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
