"""JOSE objects in compact serialization, read strictly before any key is touched (RFC 7515, RFC 7516, RFC 8725).

Whatever a token says about its own key is refused, not ignored: `jwk`, `jku`, `x5u` and `x5c` let whoever made it
choose what it is checked with, and a server that fetched the URLs could be sent anywhere.
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
    """Name what is wrong with a token, for the log; the peer gets the one error of the endpoint."""

    TOO_LARGE = "it is too large"
    NOT_COMPACT = "it is not a compact serialization of three parts"
    NOT_ENCRYPTED = "it is not a compact serialization of five parts"
    NOT_BASE64URL = "a part of it is not base64url"
    HEADER_NOT_JSON = "its header is not a JSON object with each member once"
    CLAIMS_NOT_JSON = "its payload is not a JSON object with each member once"
    HEADER_TYPE = "a header parameter has the wrong type"
    OWN_KEY = "it brings its own key, or says where to fetch it"
    CRITICAL = "it demands an extension"
    NESTED = "there is another token in it, where none is expected"
    COMPRESSED = "it is compressed"
    ALGORITHM = "its algorithm is not allowed here"
    UNKNOWN_KEY = "it was made with none of the keys"
    SIGNATURE = "its signature is wrong"
    CIPHERTEXT = "it can't be decrypted"
    CLAIM_TYPE = "a registered claim has the wrong type"
    NO_EXPIRY = "it never expires"
    EXPIRED = "it has expired"
    NOT_YET = "it is not valid yet"
    FUTURE = "it was issued in the future"


class InvalidJwt(Exception):
    """Refuse a token; `flaw` says why, to the log alone."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


# ID tokens, assertions and request objects are of one or two kilobytes; what is much larger only costs time.
MAX_LENGTH = 16_384
MAX_KID_LENGTH = 256

_OWN_KEY = frozenset({"jwk", "jku", "x5u", "x5c"})
_STRINGS = ("alg", "enc", "kid", "typ", "cty")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@attrs.frozen
class Signed:
    """Hold a JWS as it was read, its signature not looked at."""

    header: Mapping[str, object]
    alg: str
    kid: str | None
    payload: bytes
    signing_input: bytes
    signature: bytes


@attrs.frozen
class Encrypted:
    """Hold a JWE as it was read, nothing of it decrypted."""

    header: Mapping[str, object]
    alg: str
    enc: str
    kid: str | None
    text: str


def read_signed(token: str) -> Signed:
    """Take a JWS apart; raises `InvalidJwt`."""
    header, payload, signature = _parts(token, 3, Flaw.NOT_COMPACT)
    members = _header(header)
    # RFC 7515 section 4.1.10: cty says that the payload is another token. None of ours has one inside.
    if members.get("cty") is not None:
        raise InvalidJwt(Flaw.NESTED)
    signing_input = token.rpartition(".")[0].encode("ascii")
    kid = members.get("kid")
    return Signed(members, str(members["alg"]), None if kid is None else str(kid), payload, signing_input, signature)


def read_encrypted(token: str) -> Encrypted:
    """Take a JWE apart as far as its header; raises `InvalidJwt`."""
    members = _header(_parts(token, 5, Flaw.NOT_ENCRYPTED)[0])
    if "zip" in members:
        # A kilobyte can unpack to a gigabyte, and what was compressed tells its content by its length.
        raise InvalidJwt(Flaw.COMPRESSED)
    if not isinstance(members.get("enc"), str):
        raise InvalidJwt(Flaw.HEADER_TYPE)
    kid = members.get("kid")
    return Encrypted(members, str(members["alg"]), str(members["enc"]), None if kid is None else str(kid), token)


def read_claims(payload: bytes) -> Mapping[str, object]:
    """Read a claims set (RFC 7519 section 4); raises `InvalidJwt`, also for a registered claim of the wrong type."""
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
    # Before anything is decoded: what is too long must cost nothing.
    if len(token) > MAX_LENGTH:
        raise InvalidJwt(Flaw.TOO_LARGE)
    parts = token.split(".", count)
    if len(parts) != count:
        raise InvalidJwt(flaw)
    return [_decoded(part) for part in parts]


def _decoded(part: str) -> bytes:
    """Decode base64url the one way it is written (RFC 7515 section 2): no padding, no stray bits, nothing skipped."""
    if not _BASE64URL.fullmatch(part):
        raise InvalidJwt(Flaw.NOT_BASE64URL)
    try:
        value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise InvalidJwt(Flaw.NOT_BASE64URL) from None
    # Two spellings of one signature would be two tokens to who compares text and one to who verifies.
    if base64.urlsafe_b64encode(value).rstrip(b"=") != part.encode("ascii"):
        raise InvalidJwt(Flaw.NOT_BASE64URL)
    return value


def _header(text: bytes) -> Mapping[str, object]:
    try:
        header = parse_object(text)
    except ValueError:
        raise InvalidJwt(Flaw.HEADER_NOT_JSON) from None
    # RFC 8725 section 3.10: keys and URLs from the token itself are not to be trusted.
    if header.keys() & _OWN_KEY:
        raise InvalidJwt(Flaw.OWN_KEY)
    if "crit" in header or "b64" in header:
        # No extension is known here, so none that must be understood is (RFC 7515 section 4.1.11).
        raise InvalidJwt(Flaw.CRITICAL)
    # RFC 7515 section 4.1.1: alg MUST be present; the others are strings where they are there.
    if "alg" not in header or not all(isinstance(header.get(name, ""), str) for name in _STRINGS):
        raise InvalidJwt(Flaw.HEADER_TYPE)
    if len(str(header.get("kid", ""))) > MAX_KID_LENGTH:
        raise InvalidJwt(Flaw.HEADER_TYPE)
    return header
