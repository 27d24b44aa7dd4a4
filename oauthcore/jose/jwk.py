"""JSON Web Keys as values (RFC 7517): told apart, compared and published, without any cryptography.

What a key is good for is a table, so that a token's `alg` can never choose the kind of its key: an HMAC is checked with
a shared secret and with nothing else, whatever public keys there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal, Self

import attrs

from oauthcore.digest import base64url
from oauthcore.errors import ConfigurationError
from oauthcore.jose.strict_json import parse_object

KeyType = Literal["RSA", "EC", "OKP", "oct"]
Use = Literal["sig", "enc"]

# The members that make a key the key it is: what a thumbprint is of (RFC 7638 section 3.2, RFC 8037 section 2).
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
# What may stand in a published key beside its numbers; certificates are nothing this server vouches for.
_DESCRIPTION = ("kty", "kid", "alg", "use", "key_ops")

# Which key each algorithm takes (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2). `none` is not here.
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

# What this server signs with: nothing symmetric, since whoever could check such a token could make one.
SERVER_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
ASYMMETRIC_ALGORITHMS = tuple(alg for alg, (kty, _) in SIGNATURES.items() if kty != "oct")
SYMMETRIC_ALGORITHMS = tuple(alg for alg, (kty, _) in SIGNATURES.items() if kty == "oct")

# A quarter of a millisecond or more for each signature (see benchmarks/signing.py): not for an event loop.
COSTLY = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512"})

# A set is fetched from a client's server and tried key by key.
MAX_KEYS = 50


@attrs.frozen
class Jwk:
    """Hold one key by its JSON text; two keys are equal if every member is. The text of a private key has no repr."""

    text: str = attrs.field(repr=False)
    kty: KeyType = attrs.field(eq=False)
    crv: str | None = attrs.field(eq=False)
    kid: str | None = attrs.field(eq=False)
    alg: str | None = attrs.field(eq=False)
    use: str | None = attrs.field(eq=False)
    is_private: bool = attrs.field(eq=False)

    @classmethod
    def of(cls, members: Mapping[str, object]) -> Self:
        """Take a key's members; raises `ValueError` for what is no key that is known here (RFC 7517 section 4)."""
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
        """Read a key's JSON; raises `ValueError`."""
        return cls.of(parse_object(text))

    @property
    def members(self) -> dict[str, object]:
        """Return its members, the private ones too."""
        members: dict[str, object] = json.loads(self.text)
        return members

    @property
    def thumbprint(self) -> str:
        """Return the name that follows from the key itself (RFC 7638), the same for its private and its public half."""
        members = self.members
        identity = {name: members[name] for name in _IDENTITY[self.kty]}
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).digest()
        return base64url(digest)

    @property
    def public(self) -> Jwk:
        """Return the half that may be published, of which every member is known to be public."""
        if self.kty == "oct":
            raise ConfigurationError("key", "oct", "publish public keys; a shared secret has no public half")
        public = _PUBLIC[self.kty].union(_DESCRIPTION)
        return Jwk.of({name: value for name, value in self.members.items() if name in public and name != "key_ops"})

    def named(self, alg: str, use: Use = "sig") -> Jwk:
        """Return the same key with a `kid` (its thumbprint where it has none), its algorithm and its use."""
        return Jwk.of({**self.members, "kid": self.kid or self.thumbprint, "alg": alg, "use": use})

    def fits_signature(self, alg: str) -> bool:
        """Return whether signatures of an algorithm are made or checked with this key."""
        kty, curves = SIGNATURES.get(alg, (None, frozenset()))
        return (
            self.kty == kty
            and (not curves or self.crv in curves)
            and self.alg in {None, alg}
            and self.use in {None, "sig"}
            and (kty != "oct" or self._secret_length * 8 >= int(alg[2:]))
        )

    def fits_encryption(self, alg: str) -> bool:
        """Return whether a content key of that algorithm is encrypted to, or decrypted with, this key."""
        kinds, curves = ENCRYPTIONS.get(alg, ((), frozenset()))
        return (
            self.kty in kinds
            and (not curves or self.crv in curves)
            and self.alg in {None, alg}
            and self.use in {None, "enc"}
        )

    @property
    def _secret_length(self) -> int:
        # RFC 7518 section 3.2: a key as long as the hash, at least; a shorter one fits no algorithm.
        return len(str(self.members["k"])) * 6 // 8


def symmetric(secret: bytes) -> Jwk:
    """Return the key that a client's secret is, for an HMAC (OIDC Core section 10.1)."""
    return Jwk.of({"kty": "oct", "k": base64url(secret)})


def parse_set(text: str | bytes) -> tuple[Jwk, ...]:
    """Read a JWK set's public keys (RFC 7517 section 5); what is no key that is known is passed over, as it says there.

    So is a private key, which is one no longer. Raises `ValueError` for what is no set, or one of very many keys.
    """
    keys = parse_object(text).get("keys")
    # RFC 7517 section 5.1: `keys` is an array. The limit bounds what one document of a stranger costs.
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ValueError("this is no JWK set of a reasonable size")
    return tuple(key for key in map(_known, keys) if key is not None and not key.is_private)


def _known(members: object) -> Jwk | None:
    try:
        return Jwk.of(members) if isinstance(members, dict) else None
    except ValueError:
        return None


def set_of(keys: Iterable[Jwk]) -> bytes:
    """Write a JWK set of the keys' public halves."""
    return json.dumps({"keys": [key.public.members for key in keys]}, separators=(",", ":")).encode("ascii")
