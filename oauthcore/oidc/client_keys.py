"""Keys of clients: with their registration, or published by them (OIDC Dynamic Client Registration section 2).

What a client publishes is fetched between two attempts of a decision (see `oauthcore.documents`), kept for an hour, and
fetched again, once a minute at most, where a key that is looked for is not in it (OIDC Core section 10.1.1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from oauthcore.context import Context
from oauthcore.errors import InvalidRequest
from oauthcore.jose.compact import Flaw, InvalidJwt, read_signed
from oauthcore.jose.crypto import RSA_BITS, VerifiedJwt
from oauthcore.jose.jwk import Jwk, parse_set
from oauthcore.jose.jwt import Encryption
from oauthcore.records.client import Client


def keys_of(client: Client, context: Context, *, kid: str | None = None) -> tuple[Jwk, ...]:
    """Return a client's public keys; with `kid`, look again where none has that. Raises `DocumentNeeded`."""
    # RFC 7591 section 2: never both; those of the registration need nobody to be asked.
    if client.jwks is not None:
        return keys_in(client.jwks)
    if client.jwks_uri is None:
        return ()
    keys = keys_in(context.documents.get(client.jwks_uri, context.now).body)
    if kid is not None and all(key.kid != kid for key in keys):
        keys = keys_in(context.documents.get_newer(client.jwks_uri, context.now).body)
    return keys


def verify_by_keys_of(client: Client, text: str, algorithms: Collection[str], context: Context) -> VerifiedJwt:
    """Verify what a client has signed; raises `DocumentNeeded` and `InvalidJwt`.

    Many clients name no key in what they sign, so that a wrong signature is all that tells of a new one.
    """
    kid = read_signed(text).kid
    keys = keys_of(client, context, kid=kid)
    try:
        return context.verify(text, keys, algorithms)
    except InvalidJwt as invalid:
        if kid is not None or client.jwks_uri is None or invalid.flaw not in _UNKNOWN:
            raise
    return context.verify(text, keys_in(context.documents.get_newer(client.jwks_uri, context.now).body), algorithms)


_UNKNOWN = frozenset({Flaw.SIGNATURE, Flaw.UNKNOWN_KEY})


def keys_in(text: str | bytes | None) -> tuple[Jwk, ...]:
    """Return the keys of a set; what is no set has none, and whoever wants one of them is refused for that."""
    try:
        return parse_set(text or b"")
    except ValueError:
        return ()


def encryption_for(client: Client, of: Literal["id_token", "userinfo"], context: Context) -> Encryption | None:
    """Say how something is encrypted for a client, None where it registered nothing of that kind.

    Raises `DocumentNeeded`, and `InvalidRequest` if it has no key that fits: then nothing leaves in the clear instead.
    """
    alg: str | None = getattr(client, f"{of}_encrypted_response_alg")
    if alg is None:
        return None
    key = fitting_key(keys_of(client, context), alg)
    # OIDC Core section 10.2.1: the client may have rotated its encryption keys since they were fetched.
    if key is None and client.jwks_uri is not None:
        key = fitting_key(keys_in(context.documents.get_newer(client.jwks_uri, context.now).body), alg)
    if key is None:
        raise InvalidRequest(f"the client has no key to encrypt for it by {alg}")
    return Encryption(alg, getattr(client, f"{of}_encrypted_response_enc"), key)


def fitting_key(keys: Sequence[Jwk], alg: str) -> Jwk | None:
    """Choose the key that something is encrypted to: of the right type, not meant for anything else, and not too small.

    A key that the library would refuse is as good as none, and the client is told so.
    """
    return next((key for key in keys if key.fits_encryption(alg) and is_large_enough(key)), None)


def is_large_enough(key: Jwk) -> bool:
    """Tell whether an RSA key has 2048 bits or more (RFC 7518 section 4.3); keys on curves have the curve's size."""
    modulus = str(key.members.get("n", ""))
    return key.kty != "RSA" or len(modulus) * 6 >= RSA_BITS.start
