"""Signatures and encryption by joserfc (`pip install "oauthcore[oidc]"`), which only this module imports.

The import happens at the first use, so that the core works without joserfc. Tokens are parsed by
`oauthcore.jose.compact` first; then the algorithm is checked against the caller's list, a key that fits it is chosen,
and only then the library is called. Signatures and new keys use the randomness of the operating system, through the
library. No decision depends on it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import attrs

from oauthcore.digest import base64url
from oauthcore.errors import ConfigurationError
from oauthcore.jose.compact import Encrypted, Flaw, InvalidJwt, Signed, read_claims, read_encrypted, read_signed
from oauthcore.jose.jwk import (
    ASYMMETRIC_ALGORITHMS,
    CONTENT_ENCRYPTIONS,
    ENCRYPTIONS,
    SERVER_ALGORITHMS,
    SIGNATURES,
    Jwk,
    public_key,
)
from oauthcore.jose.jwt import Encryption, Jwt
from oauthcore.wire.text import JSON_WHITE_SPACE

if TYPE_CHECKING:
    from types import ModuleType

    from joserfc.jwk import Key

# At least 2048: NIST SP 800-131A revision 2. At most 8192: a stranger's key must not make a check take milliseconds.
RSA_BITS = range(2048, 8193)
FRESH_RSA_BITS = 2048
# 65537 has 17 bits; FIPS 186-5 section A.1.1 allows up to 256. A longer exponent makes verification slower: 50 ms for
# a stranger's key whose exponent is as long as the modulus. OpenSSL limits it to 64 above 3072 bits.
MAX_EXPONENT_BITS = 64

# Narrower for a key that comes with a DPoP proof, which anybody may send before anything else is looked at: with the
# two limits above its check takes 4 ms, five times as long as the rest of the request. Exponents are 65537, or 3.
STRANGERS_RSA_BITS = range(2048, 4097)
STRANGERS_EXPONENT_BITS = 32

# A token without `kid` may be tried with each key that fits. Without a limit, a large key set would cost much time.
MAX_CANDIDATES = 10

# Importing an RSA key takes as long as a signature; a private one longer, since it is checked.
_KEYS_REMEMBERED = 1024


@attrs.frozen
class VerifiedJwt:
    """The evidence that a token was signed with one of the given keys; `exp` and `nbf` are not checked yet."""

    header: Mapping[str, object]
    claims: Mapping[str, object]


@attrs.frozen
class SelfSigned:
    """The evidence that a token was signed with the key that it brings; its claims are not checked yet."""

    header: Mapping[str, object]
    claims: Mapping[str, object]
    key: Jwk


# The signatures of `verify` and `verify_own_key`, for a recorder or a replay to put other functions in their places.
Verify = Callable[[str, Iterable[Jwk], Collection[str]], VerifiedJwt]
VerifyOwnKey = Callable[[str, Collection[str]], SelfSigned]


def sign(jwts: Iterable[tuple[Jwt, Jwk]]) -> tuple[str, ...]:
    """Sign tokens, each with the key beside it, and encrypt those that have an `encryption`."""
    return tuple(_encrypted(sign_claims(jwt.claims, key, jwt.alg, jwt.typ), jwt) for jwt, key in jwts)


def _encrypted(token: str, jwt: Jwt) -> str:
    return token if jwt.encryption is None else encrypt(token, jwt.encryption)


def sign_claims(claims: Mapping[str, object], key: Jwk, alg: str, typ: str = "JWT") -> str:
    """Sign claims (RFC 7515 section 5.1); raises `ConfigurationError` for a key that does not fit the algorithm."""
    if not key.fits_signature(alg) or not key.is_private:
        remedy = f"sign {alg} with a private key that is meant for it, or where that key is: oauthcore.signing.remote"
        raise ConfigurationError("key", f"{key.kty} {key.kid}", remedy)
    return sign_as_given(_header_of(key, alg, typ), claims, key, alg)


def _header_of(key: Jwk, alg: str, typ: str) -> Mapping[str, object]:
    return {"alg": alg, "typ": typ} | ({} if key.kid is None else {"kid": key.kid})


def sign_as_given(header: Mapping[str, object], claims: Mapping[str, object], key: Jwk, alg: str) -> str:
    """Sign claims under any header, even a false one: for tests that need tokens which have to be refused."""
    signing_input = f"{_encoded(header)}.{_encoded(claims)}"
    signature = _signature(alg).sign(signing_input.encode("ascii"), _key(key))
    return f"{signing_input}.{base64url(signature)}"


def signing_input(jwt: Jwt, key: Jwk) -> bytes:
    """Return what a signature of a token is made of (RFC 7515 section 5.1), for a key that signs elsewhere."""
    return f"{_encoded(_header_of(key, jwt.alg, jwt.typ))}.{_encoded(jwt.claims)}".encode("ascii")


def with_signature(jwt: Jwt, key: Jwk, signed: bytes, signature: bytes) -> str:
    """Return the token, encrypted if it has an `encryption`, with a signature of `signed` that was made elsewhere.

    The signature has the form of RFC 7518 section 3, for ES256 R and S one after the other. Raises `ValueError` if it
    is not one of this key.
    """
    token = f"{signed.decode('ascii')}.{base64url(signature)}"
    try:
        verify(token, [key], [jwt.alg])
    except InvalidJwt:
        raise ValueError(f"the signature is none of the key {key.kid} by {jwt.alg}") from None
    return _encrypted(token, jwt)


def verify(token: str, keys: Iterable[Jwk], algorithms: Collection[str]) -> VerifiedJwt:
    """Return the claims of a token that was signed with one of the keys, by an algorithm of the list.

    `algorithms` are those the caller expects. Times, issuer and audience are left to the caller. Raises `InvalidJwt`.
    """
    signed = read_signed(token)
    # RFC 8725 section 3.1: the caller decides which algorithms are allowed, never the token. `none` is in no list.
    if signed.alg not in algorithms or signed.alg not in SIGNATURES:
        raise InvalidJwt(Flaw.ALGORITHM)
    # RFC 8725 section 2.1: an RSA public key is never used as an HMAC secret, since it does not fit the algorithm.
    candidates = _candidates(signed.kid, (key for key in keys if key.fits_signature(signed.alg)))
    if not candidates:
        raise InvalidJwt(Flaw.UNKNOWN_KEY)
    if not any(_is_signed_with(signed, key) for key in candidates):
        raise InvalidJwt(Flaw.SIGNATURE)
    return VerifiedJwt(signed.header, read_claims(signed.payload))


def verify_own_key(token: str, algorithms: Collection[str]) -> SelfSigned:
    """Return the claims of a token that was signed with the public key in its own header, and that key.

    It proves that the sender has the key, and not who they are (RFC 9449 section 4.3). Raises `InvalidJwt`.
    """
    signed = read_signed(token, brings_key=True)
    if signed.alg not in algorithms or signed.alg not in ASYMMETRIC_ALGORITHMS:
        raise InvalidJwt(Flaw.ALGORITHM)
    key = key_brought_by(signed)
    if not _is_signature(signed, key, _strangers_key):
        raise InvalidJwt(Flaw.SIGNATURE)
    return SelfSigned(signed.header, read_claims(signed.payload), key)


def key_brought_by(signed: Signed) -> Jwk:
    """Return the key in the header of a token, which fits its algorithm; raises `InvalidJwt`."""
    try:
        return public_key(signed.header.get("jwk"), signed.alg)
    except ValueError:
        raise InvalidJwt(Flaw.NO_KEY) from None


def encrypt(token: str, encryption: Encryption) -> str:
    """Encrypt a signed token to its recipient (RFC 7519 section 5.2, a nested JWT); raises `ConfigurationError`."""
    alg, enc, key = encryption.alg, encryption.enc, encryption.key
    if not key.fits_encryption(alg) or enc not in CONTENT_ENCRYPTIONS:
        raise ConfigurationError("encryption", f"{alg} {enc}", "register known algorithms, and a key for them")
    header = {"alg": alg, "enc": enc, "cty": "JWT"} | ({} if key.kid is None else {"kid": key.kid})
    library = _library("jwe")
    try:
        return str(library.encrypt_compact(header, token, _key(key), algorithms=[alg, enc]))
    except Exception as error:  # a point that is not on the curve, or an RSA key of 512 bits
        raise ConfigurationError("encryption", f"{alg} {key.kid}", "register a key that can be used") from error


def decrypt(
    token: str, keys: Iterable[Jwk], algorithms: Collection[str], encryptions: Collection[str] = CONTENT_ENCRYPTIONS
) -> str:
    """Return the content that was encrypted to one of the keys, still to be verified; raises `InvalidJwt`."""
    encrypted = read_encrypted(token)
    if encrypted.alg not in algorithms or encrypted.alg not in ENCRYPTIONS or encrypted.enc not in encryptions:
        raise InvalidJwt(Flaw.ALGORITHM)
    fitting = (key for key in keys if key.is_private and key.fits_encryption(encrypted.alg))
    candidates = _candidates(encrypted.kid, fitting)
    if not candidates:
        raise InvalidJwt(Flaw.UNKNOWN_KEY)
    for key in candidates:
        if (content := _decrypted(encrypted, key)) is not None:
            return content
    raise InvalidJwt(Flaw.CIPHERTEXT)


def seal(plaintext: str, key: bytes) -> str:
    """Encrypt under 32 bytes of the server's own, for secrets that are needed in plain text (JWE, A256GCM)."""
    return str(_library("jwe").encrypt_compact(_SEAL, plaintext, _sealing_key(key), algorithms=list(_SEAL.values())))


def unseal(sealed: str, key: bytes) -> str:
    """Return the sealed text; raises `ValueError` if it was sealed under another key, or not at all."""
    try:
        opened = _library("jwe").decrypt_compact(sealed, _sealing_key(key), algorithms=list(_SEAL.values()))
        assert opened.plaintext is not None
        return str(opened.plaintext.decode("utf-8"))
    except ConfigurationError:
        raise
    except Exception as error:  # joserfc raises errors of several trees
        raise ValueError("this was sealed under another key") from error


_SEAL = {"alg": "dir", "enc": "A256GCM"}


def generate(alg: str) -> Jwk:
    """Return a new private key for an algorithm of the server's; one for RSA takes a tenth of a second or more."""
    if alg not in SERVER_ALGORITHMS:
        raise ConfigurationError("alg", alg, f"use one of {', '.join(SERVER_ALGORITHMS)}")
    kty, curves = SIGNATURES[alg]
    key = _library("jwk").generate_key(kty, next(iter(curves), FRESH_RSA_BITS))
    return Jwk.of(key.as_dict(private=True)).named(alg)


def import_private(text: str | bytes, alg: str | None = None) -> Jwk:
    """Read a private key, PEM (PKCS #8, SEC 1, PKCS #1) or JWK, and test it; raises `ConfigurationError`.

    Without `alg`, the algorithm is that of the key's `alg` member, or the usual one for its kind.
    """
    named = _read_key(text, alg, "private ")
    if not named.is_private:
        raise ConfigurationError("key", f"{named.kty} {named.crv or ''} for {named.alg}", _remedy("private "))
    check_key(named)
    return named


def import_public(text: str | bytes, alg: str | None = None) -> Jwk:
    """Read a signing key, private or public, and return its public half; raises `ConfigurationError`."""
    return _read_key(text, alg).public


def _read_key(text: str | bytes, alg: str | None, kind: str = "") -> Jwk:
    """Read a signing key, PEM or JWK, and add its `kid` and algorithm."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        key = Jwk.parse(text) if text.lstrip(JSON_WHITE_SPACE).startswith("{") else _from_pem(text)
    except ValueError as error:
        remedy = f"use a {kind}key as PEM or JWK, unencrypted: {error}"
        raise ConfigurationError("key", "(not shown)", remedy) from None
    alg = alg or key.alg or _USUAL.get(key.crv or key.kty)
    if alg not in SERVER_ALGORITHMS or not key.fits_signature(alg):
        raise ConfigurationError("key", f"{key.kty} {key.crv or ''} for {alg}", _remedy(kind))
    return key.named(alg)


def _remedy(kind: str) -> str:
    return f"use a {kind}signing key for one of {', '.join(SERVER_ALGORITHMS)}"


def check_key(key: Jwk) -> None:
    """Sign with a private key and verify with its public half, as they may not match; raises `ConfigurationError`."""
    assert key.alg is not None
    try:
        verify(sign_claims({}, key, key.alg), [key.public], [key.alg])
    except Exception as error:  # joserfc raises several types; a wrong signature is one of them
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            "key", key.kid, "its private and public parts do not belong together, or it is too small: use another"
        ) from error


_USUAL = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "Ed25519": "EdDSA"}


def _from_pem(text: str) -> Jwk:
    for kind in ("RSAKey", "ECKey", "OKPKey"):
        try:
            key = getattr(_library("jwk"), kind).import_key(text)
            members = key.as_dict(private=key.is_private)
        except ConfigurationError:
            raise
        except Exception:  # noqa: S112 - a key of another kind, for which joserfc raises several types
            continue
        return Jwk.of(members)
    raise ValueError("it can't be read")


def public_key_in(pem: str) -> Jwk:
    """Return the public key in a PEM text, as it is in a certificate; raises `ValueError` for other kinds."""
    return _from_pem(pem).public


def _candidates(kid: str | None, fitting: Iterable[Jwk]) -> list[Jwk]:
    """Return the keys to try: those with this `kid`, or without any; it is only compared (RFC 7515 section 4.1.4)."""
    keys = list(fitting)
    if kid is not None:
        keys = [key for key in keys if key.kid == kid] or [key for key in keys if key.kid is None]
    return keys[:MAX_CANDIDATES]


def _is_signed_with(signed: Signed, key: Jwk) -> bool:
    return _is_signature(signed, key, _key)


def _is_signature(signed: Signed, key: Jwk, imported: Callable[[Jwk], Key]) -> bool:
    try:
        return bool(_signature(signed.alg).verify(signed.signing_input, signed.signature, imported(key)))
    except ConfigurationError:
        raise
    except Exception:  # the key is malformed, or the signature has a form that such a key can't make
        return False


def _decrypted(encrypted: Encrypted, key: Jwk) -> str | None:
    try:
        opened = _library("jwe").decrypt_compact(encrypted.text, _key(key), algorithms=[encrypted.alg, encrypted.enc])
        assert opened.plaintext is not None
        return str(opened.plaintext.decode("ascii"))
    except ConfigurationError:
        raise
    except Exception:  # one refusal for all causes: a difference would be an oracle (RFC 7516 section 11.5)
        return None


def _signature(alg: str) -> Any:
    return _library("jws").JWSRegistry.algorithms[alg]


def is_installed() -> bool:
    """Return whether joserfc is installed, without importing it, which takes time."""
    return find_spec("joserfc") is not None


def check_installed() -> None:
    """Raise `ConfigurationError` if joserfc is missing, so that it is noticed at the start."""
    _library("jwk")


@lru_cache(_KEYS_REMEMBERED)
def _key(jwk: Jwk) -> Key:
    """Import a key; raises `ValueError` for an RSA key that is too small, or too slow to verify with."""
    return _imported(jwk)


# Anybody may bring any number of keys, which must not push those out that the server and its clients are known by.
@lru_cache(_KEYS_REMEMBERED)
def _strangers_key(jwk: Jwk) -> Key:
    return _imported(jwk, STRANGERS_RSA_BITS, STRANGERS_EXPONENT_BITS)


def _imported(jwk: Jwk, rsa_bits: range = RSA_BITS, max_exponent_bits: int = MAX_EXPONENT_BITS) -> Key:
    members = jwk.members
    if jwk.kty == "RSA" and (bits := _bits(str(members["n"]))) not in rsa_bits:
        raise ValueError(f"an RSA key of {bits} bits")
    if jwk.kty == "RSA" and (bits := _bits(str(members["e"]))) > max_exponent_bits:
        raise ValueError(f"an RSA key with an exponent of {bits} bits")
    key: Key = _library("jwk").import_key(members)
    return key


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()


@lru_cache(8)
def _sealing_key(key: bytes) -> Key:
    assert len(key) == 32
    imported: Key = _library("jwk").OctKey.import_key(key)
    return imported


@cache
def _library(name: str) -> ModuleType:
    try:
        from joserfc import jwe, jwk, jws
    except ImportError:
        raise ConfigurationError("oidc", None, 'signatures need joserfc: pip install "oauthcore[oidc]"') from None
    modules: dict[str, ModuleType] = {"jwe": jwe, "jwk": jwk, "jws": jws}
    return modules[name]


def _encoded(members: Mapping[str, object]) -> str:
    return base64url(json.dumps(members, separators=(",", ":")).encode("ascii"))
