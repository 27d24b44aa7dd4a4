"""Keys of clients: with their registration, or published by them (OIDC Dynamic Client Registration section 2).

What a client publishes is fetched between two attempts of a decision (see `oauthcore.documents`), kept for an hour, and
fetched again, once a minute at most, where a key that is looked for is not in it (OIDC Core section 10.1.1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from oauthcore.context import Context
from oauthcore.errors import InvalidRequest
from oauthcore.jose.crypto import MAX_EXPONENT_BITS, RSA_BITS, VerifiedJwt
from oauthcore.jose.jwk import Jwk, is_key_set, parse_set
from oauthcore.jose.jwt import Encryption
from oauthcore.jose.rotating_keys import verify_by_rotating
from oauthcore.records.client import Client


def keys_of(client: Client, context: Context) -> tuple[Jwk, ...]:
    """Return a client's public keys; raises `DocumentNeeded`."""
    # RFC 7591 section 2: never both. Registered keys need no fetch.
    if client.jwks is not None:
        return keys_in(client.jwks)
    if client.jwks_uri is None:
        return ()
    return keys_in(context.documents_of(client).get(client.jwks_uri, context.now, is_key_set).body)


def verify_by_keys_of(client: Client, text: str, algorithms: Collection[str], context: Context) -> VerifiedJwt:
    """Verify what a client has signed; raises `DocumentNeeded` and `InvalidJwt`."""
    url = client.jwks_uri
    if client.jwks is not None or url is None:
        return context.verify(text, keys_of(client, context), algorithms)
    documents, now = context.documents_of(client), context.now
    return verify_by_rotating(
        text,
        algorithms,
        lambda: keys_in(documents.get(url, now, is_key_set).body),
        lambda: keys_in(documents.get_newer(url, now, is_key_set).body),
        context.verify,
    )


def keys_in(text: str | bytes | None) -> tuple[Jwk, ...]:
    """Return the keys of a set; a text that is not a JWK set has none, so that signatures are refused."""
    try:
        return parse_set(text or b"")
    except ValueError:
        return ()


def encryption_for(
    client: Client, of: Literal["id_token", "userinfo", "authorization"], context: Context
) -> Encryption | None:
    """Say how something is encrypted for a client, None if it registered nothing of that kind.

    Raises `DocumentNeeded`, and `InvalidRequest` if it has no key that fits: then nothing leaves in the clear instead.
    """
    alg: str | None = getattr(client, f"{of}_encrypted_response_alg")
    # OIDC Dynamic Client Registration section 2: without `…_encrypted_response_alg` nothing is encrypted.
    if alg is None:
        return None
    key = fitting_key(keys_of(client, context), alg)
    # OIDC Core section 10.2.1: the client may have rotated its encryption keys since they were fetched.
    if key is None and client.jwks_uri is not None:
        newer = context.documents_of(client).get_newer(client.jwks_uri, context.now, is_key_set)
        key = fitting_key(keys_in(newer.body), alg)
    if key is None:
        raise InvalidRequest(f"the client has no key to encrypt for it by {alg}")
    return Encryption(alg, getattr(client, f"{of}_encrypted_response_enc"), key)


def fitting_key(keys: Sequence[Jwk], alg: str) -> Jwk | None:
    """Choose the key for encryption: of the right type, not restricted to another use, and long enough.

    If there is none that the library accepts, the client gets an error.
    """
    return next((key for key in keys if key.fits_encryption(alg) and is_large_enough(key)), None)


def is_large_enough(key: Jwk) -> bool:
    """Return whether an RSA key has 2048 bits or more (RFC 7518 section 4.3); keys on curves have the curve's size."""
    modulus, exponent = str(key.members.get("n", "")), str(key.members.get("e", ""))
    return key.kty != "RSA" or (len(modulus) * 6 >= RSA_BITS.start and len(exponent) * 6 <= MAX_EXPONENT_BITS + 5)
