"""JOSE objects in compact serialization, parsed strictly before any key is used (RFC 7515, RFC 7516, RFC 8725).

A token that brings or names its own key is refused: with `jwk`, `jku`, `x5u` and `x5c` an attacker would choose the
key that verifies it, and a server that fetched such a URL could be made to request any address. Only a DPoP proof has
to bring one, by `jwk`: it proves nothing but that its sender has that key (RFC 9449 section 4.2).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from enum import Enum

import attrs

from oauthcore.jose.strict_json import is_time, parse_object


class Flaw(Enum):
    """Name what is wrong with a token, for the log only; the client gets the same error in each case."""

    TOO_LARGE = "it is too large"
    NOT_COMPACT = "it is not a compact serialization of three parts"
    NOT_ENCRYPTED = "it is not a compact serialization of five parts"
    NOT_BASE64URL = "a part of it is not base64url"
    HEADER_NOT_JSON = "its header is not a JSON object with each member once"
    CLAIMS_NOT_JSON = "its payload is not a JSON object with each member once"
    HEADER_TYPE = "a header parameter has the wrong type"
    OWN_KEY = "it brings its own key, or says where to fetch it"
    CRITICAL = "it requires an extension that is not supported"
    NESTED = "it contains another token, which is not expected"
    COMPRESSED = "it is compressed"
    ALGORITHM = "its algorithm is not allowed here"
    UNKNOWN_KEY = "none of the keys is the one that it was made with"
    NO_KEY = "it does not bring the public key that it was made with"
    SIGNATURE = "its signature is wrong"
    CIPHERTEXT = "it can't be decrypted"
    CLAIM_TYPE = "a registered claim has the wrong type"
    NO_EXPIRY = "it never expires"
    EXPIRED = "it has expired"
    NOT_YET = "it is not valid yet"
    FUTURE = "it was issued in the future"


class InvalidJwt(Exception):
    """Raised for a token that is refused; `flaw` says why, for the log only."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


# ID tokens, assertions and request objects have one or two kilobytes; much more is an attempt to cost time.
MAX_LENGTH = 16_384
MAX_KID_LENGTH = 256

_NAMED_KEY = frozenset({"jku", "x5u", "x5c"})
_OWN_KEY = _NAMED_KEY | {"jwk"}
_STRINGS = ("alg", "enc", "kid", "typ", "cty")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@attrs.frozen
class Signed:
    """Hold a parsed JWS, its signature not verified."""

    header: Mapping[str, object]
    alg: str
    kid: str | None
    payload: bytes
    signing_input: bytes
    signature: bytes


@attrs.frozen
class Encrypted:
    """Hold a parsed JWE, not decrypted."""

    header: Mapping[str, object]
    alg: str
    enc: str
    kid: str | None
    text: str


def read_signed(token: str, *, brings_key: bool = False) -> Signed:
    """Parse a JWS; one that `brings_key` may have it as `jwk` in its header. Raises `InvalidJwt`."""
    header, payload, signature = _parts(token, 3, Flaw.NOT_COMPACT)
    members = _header(header, _NAMED_KEY if brings_key else _OWN_KEY)
    # RFC 7519 section 5.2: cty "JWT" announces a nested token. No signed token that is expected here has one.
    if members.get("cty") is not None:
        raise InvalidJwt(Flaw.NESTED)
    signing_input = token.rpartition(".")[0].encode("ascii")
    kid = members.get("kid")
    return Signed(members, str(members["alg"]), None if kid is None else str(kid), payload, signing_input, signature)


def read_encrypted(token: str) -> Encrypted:
    """Parse the header of a JWE; raises `InvalidJwt`."""
    members = _header(_parts(token, 5, Flaw.NOT_ENCRYPTED)[0])
    if "zip" in members:
        # RFC 8725 section 3.6: no compression. The length would reveal content, and 1 KB may unpack to a gigabyte.
        raise InvalidJwt(Flaw.COMPRESSED)
    if not isinstance(members.get("enc"), str):
        raise InvalidJwt(Flaw.HEADER_TYPE)
    kid = members.get("kid")
    return Encrypted(members, str(members["alg"]), str(members["enc"]), None if kid is None else str(kid), token)


def read_claims(payload: bytes) -> Mapping[str, object]:
    """Parse a claims set (RFC 7519 section 4); raises `InvalidJwt`, also for a registered claim of the wrong type."""
    try:
        claims = parse_object(payload)
    except ValueError:
        raise InvalidJwt(Flaw.CLAIMS_NOT_JSON) from None
    if not all(_is_of_its_type(name, claims[name]) for name in claims.keys() & _CLAIMS):
        raise InvalidJwt(Flaw.CLAIM_TYPE)
    return claims


_TEXTS = frozenset({"iss", "sub", "jti"})
_TIMES = frozenset({"exp", "nbf", "iat"})
_CLAIMS = _TEXTS | _TIMES | {"aud"}


def _is_of_its_type(name: str, value: object) -> bool:
    if name in _TEXTS:
        return isinstance(value, str)
    if name in _TIMES:
        return is_time(value)
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(member, str) for member in value))


def _parts(token: str, count: int, flaw: Flaw) -> list[bytes]:
    # Checked before anything is decoded, so that a token that is too long costs nothing.
    if len(token) > MAX_LENGTH:
        raise InvalidJwt(Flaw.TOO_LARGE)
    parts = token.split(".", count)
    if len(parts) != count:
        raise InvalidJwt(flaw)
    return [_decoded(part) for part in parts]


def _decoded(part: str) -> bytes:
    """Decode base64url as RFC 7515 section 2 spells it: no padding, no stray bits, no other characters."""
    if not _BASE64URL.fullmatch(part):
        raise InvalidJwt(Flaw.NOT_BASE64URL)
    try:
        value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise InvalidJwt(Flaw.NOT_BASE64URL) from None
    # Stray bits in the last letter would give one token several spellings, and evade a comparison of texts.
    if base64.urlsafe_b64encode(value).rstrip(b"=") != part.encode("ascii"):
        raise InvalidJwt(Flaw.NOT_BASE64URL)
    return value


def _header(text: bytes, refused: frozenset[str] = _OWN_KEY) -> Mapping[str, object]:
    try:
        header = parse_object(text)
    except ValueError:
        raise InvalidJwt(Flaw.HEADER_NOT_JSON) from None
    # RFC 8725 section 3.10: `jku` and `x5u` could send the server anywhere (SSRF); `jwk` would fit any signature.
    if header.keys() & refused:
        raise InvalidJwt(Flaw.OWN_KEY)
    if "crit" in header or "b64" in header:
        # RFC 7515 section 4.1.11: a critical extension that is not supported makes a token invalid. None is supported.
        raise InvalidJwt(Flaw.CRITICAL)
    # RFC 7515 section 4.1.1: alg MUST be present. The others are optional strings.
    if "alg" not in header or not all(isinstance(header.get(name, ""), str) for name in _STRINGS):
        raise InvalidJwt(Flaw.HEADER_TYPE)
    if len(str(header.get("kid", ""))) > MAX_KID_LENGTH:
        raise InvalidJwt(Flaw.HEADER_TYPE)
    return header
