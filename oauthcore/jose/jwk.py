"""JSON Web Keys as values (RFC 7517): parsed, compared and published, without cryptography.

A table says which key fits which algorithm, so that the `alg` of a token can't choose the kind of key: an HMAC is
verified with a shared secret only, never with a public key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Literal, Self

import attrs

from oauthcore.digest import base64url
from oauthcore.errors import ConfigurationError
from oauthcore.jose.strict_json import parse_object

KeyType = Literal["RSA", "EC", "OKP", "oct"]
Use = Literal["sig", "enc"]

# The members that a thumbprint is computed from (RFC 7638 section 3.2, RFC 8037 section 2).
_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "oct": ("k", "kty"),
}
_PUBLIC: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"n", "e"}),
    "EC": frozenset({"crv", "x", "y"}),
    "OKP": frozenset({"crv", "x"}),
    "oct": frozenset(),
}
# The other members of a published key. Certificates (x5c) are left out: this server does not vouch for them.
_DESCRIPTION = ("kty", "kid", "alg", "use", "key_ops")

# The key for each algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2). `none` is not listed.
SIGNATURES: Mapping[str, tuple[KeyType, frozenset[str]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", frozenset())),
    "ES256": ("EC", frozenset({"P-256"})),
    "ES384": ("EC", frozenset({"P-384"})),
    "ES512": ("EC", frozenset({"P-521"})),
    "EdDSA": ("OKP", frozenset({"Ed25519"})),
    "Ed25519": ("OKP", frozenset({"Ed25519"})),
    **dict.fromkeys(("HS256", "HS384", "HS512"), ("oct", frozenset())),
}
_EXCHANGE = frozenset({"P-256", "P-384", "P-521", "X25519"})
ENCRYPTIONS: Mapping[str, tuple[tuple[KeyType, ...], frozenset[str]]] = {
    "RSA-OAEP": (("RSA",), frozenset()),
    "RSA-OAEP-256": (("RSA",), frozenset()),
    **dict.fromkeys(("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"), (("EC", "OKP"), _EXCHANGE)),
}
CONTENT_ENCRYPTIONS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")

# The algorithms of this server's own signatures. None is symmetric: a client that could verify could also sign.
SERVER_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
ASYMMETRIC_ALGORITHMS = tuple(alg for alg, (kty, _) in SIGNATURES.items() if kty != "oct")
SYMMETRIC_ALGORITHMS = tuple(alg for alg, (kty, _) in SIGNATURES.items() if kty == "oct")

# A signature takes a quarter of a millisecond or more (see benchmarks/signing.py), too long for an event loop.
COSTLY = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512"})

# A key set may be fetched from a client's server, and its keys are tried one by one.
MAX_KEYS = 50


@attrs.frozen
class Jwk:
    """Hold a key as JSON; keys with equal members are equal. `repr` does not show a private key."""

    text: str = attrs.field(repr=False)
    kty: KeyType = attrs.field(eq=False)
    crv: str | None = attrs.field(eq=False)
    kid: str | None = attrs.field(eq=False)
    alg: str | None = attrs.field(eq=False)
    use: str | None = attrs.field(eq=False)
    is_private: bool = attrs.field(eq=False)

    @classmethod
    def of(cls, members: Mapping[str, object]) -> Self:
        """Return the key with these members; raises `ValueError` for an unknown kind of key (RFC 7517 section 4)."""
        members = {name: value for name, value in members.items() if value is not None}
        kty = members.get("kty")
        if not isinstance(kty, str) or kty not in _IDENTITY:
            raise ValueError(f"kty is none of {', '.join(_IDENTITY)}")
        for name in (*_IDENTITY[kty], "kid", "alg", "use", "d", "k"):
            if not isinstance(members.get(name, None if name in _IDENTITY[kty] else ""), str):
                raise ValueError(f"{name} is not a string")
        text = json.dumps(members, sort_keys=True, separators=(",", ":"))
        described = {name: members.get(name) for name in ("crv", "kid", "alg", "use")}
        return cls(text, kty, is_private="d" in members or "k" in members, **described)  # type: ignore[arg-type]  # strings, as was checked

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Parse a key; raises `ValueError`."""
        return cls.of(parse_object(text))

    @property
    def members(self) -> dict[str, object]:
        """Return the members, including private ones."""
        members: dict[str, object] = json.loads(self.text)
        return members

    @property
    def thumbprint(self) -> str:
        """Return the thumbprint (RFC 7638), which a private key and its public half have in common."""
        members = self.members
        identity = {name: members[name] for name in _IDENTITY[self.kty]}
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).digest()
        return base64url(digest)

    @property
    def bare(self) -> Jwk:
        """Return the public key with nothing but what makes it that key; equal keys are then equal values."""
        members = self.members
        return Jwk.of({name: members[name] for name in _IDENTITY[self.kty]})

    @property
    def bare_thumbprint(self) -> str:
        """Return the thumbprint of a key that is `bare`: its text is what that is the hash of (RFC 7638 section 3)."""
        return base64url(hashlib.sha256(self.text.encode("ascii")).digest())

    @property
    def public(self) -> Jwk:
        """Return the public half, with the members that are known to be public."""
        if self.kty == "oct":
            raise ConfigurationError("key", "oct", "publish public keys; a shared secret has no public half")
        public = _PUBLIC[self.kty].union(_DESCRIPTION)
        return Jwk.of({name: value for name, value in self.members.items() if name in public and name != "key_ops"})

    def named(self, alg: str, use: Use = "sig") -> Jwk:
        """Return the key with its algorithm and use, and with its thumbprint as `kid` if it has none."""
        return Jwk.of({**self.members, "kid": self.kid or self.thumbprint, "alg": alg, "use": use})

    def fits_signature(self, alg: str) -> bool:
        """Return whether this key makes or verifies signatures of an algorithm."""
        kty, curves = SIGNATURES.get(alg, (None, frozenset()))
        return (
            self.kty == kty
            and (not curves or self.crv in curves)
            and self.alg in {None, alg}
            and self.use in {None, "sig"}
            and (kty != "oct" or self._secret_length * 8 >= int(alg[2:]))
        )

    def fits_encryption(self, alg: str) -> bool:
        """Return whether this key encrypts or decrypts a content key of an algorithm."""
        kinds, curves = ENCRYPTIONS.get(alg, ((), frozenset()))
        return (
            self.kty in kinds
            and (not curves or self.crv in curves)
            and self.alg in {None, alg}
            and self.use in {None, "enc"}
        )

    @property
    def _secret_length(self) -> int:
        # RFC 7518 section 3.2: an HMAC key MUST be at least as long as the hash. A shorter one fits no algorithm.
        return len(str(self.members["k"])) * 6 // 8


# All that is private in keys of any kind (RFC 7518 section 6, RFC 8037 section 2); `oth` are further primes.
PRIVATE_MEMBERS = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})
_NUMBER = re.compile(r"[A-Za-z0-9_-]+")
_NUMBERS: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
# RFC 7518 section 6.2.1.2: a coordinate has the full length of its curve.
_COORDINATE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}


def public_key(members: object, alg: str) -> Jwk:
    """Return the public key for a signature that a stranger has sent, as `Jwk.bare`; raises `ValueError` for others.

    A private key is refused, not reduced to its public half: everybody on the way has seen it. There is one spelling
    of a number: a second one would be another thumbprint of the same key.
    """
    if not isinstance(members, dict) or members.keys() & PRIVATE_MEMBERS:
        raise ValueError("it is no public key")
    kty = members.get("kty")
    if kty not in ("RSA", "EC", "OKP") or members.get("use", "sig") != "sig" or members.get("alg", alg) != alg:
        raise ValueError("it is for something else")
    key = Jwk.of({name: members.get(name) for name in _IDENTITY[kty]})
    if not key.fits_signature(alg) or not all(_is_number(members[name], key) for name in _NUMBERS[kty]):
        raise ValueError("its numbers are not spelled as a key's are")
    return key


def _is_number(text: str, key: Jwk) -> bool:
    if not _NUMBER.fullmatch(text):
        return False
    number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) % 4 != 1 else b""
    if base64url(number) != text:
        return False
    # RFC 7518 section 2: Base64urlUInt has no zeros in front.
    return number[:1] != b"\0" if key.kty == "RSA" else len(number) == _COORDINATE_BYTES.get(key.crv or "")


def symmetric(secret: bytes) -> Jwk:
    """Return a client secret as a key for HMAC (OIDC Core section 10.1)."""
    return Jwk.of({"kty": "oct", "k": base64url(secret)})


def parse_set(text: str | bytes) -> tuple[Jwk, ...]:
    """Return the public keys of a JWK set (RFC 7517 section 5), without keys of unknown kinds, as section 5 says.

    A private key is skipped, too, since publishing has made it worthless. Raises `ValueError` if it is not a key set,
    or one with more than 50 keys.
    """
    keys = parse_object(text).get("keys")
    # RFC 7517 section 5.1: `keys` is an array. The limit bounds the cost of a stranger's document.
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ValueError(f"it is not a JWK set of at most {MAX_KEYS} keys")
    return tuple(key for key in map(_known, keys) if key is not None and not key.is_private)


def is_key_set(text: bytes) -> bool:
    """Return whether a document is a JWK set with a key that can be used; an empty one verifies nothing."""
    try:
        return bool(parse_set(text))
    except ValueError:
        return False


def _known(members: object) -> Jwk | None:
    try:
        return Jwk.of(members) if isinstance(members, dict) else None
    except ValueError:
        return None


def set_of(keys: Iterable[Jwk]) -> bytes:
    """Return a JWK set with the public halves of the keys."""
    return json.dumps({"keys": [key.public.members for key in keys]}, separators=(",", ":")).encode("ascii")
