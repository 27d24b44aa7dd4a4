"""`client_secret_jwt`: an assertion signed with the client's secret (OIDC Core section 9, RFC 7523).

An HMAC can't be checked with a digest of its key, so the secrets of these clients are kept themselves, sealed under a
key that is derived from the server's own; a storage that is stolen alone is no use to the thief.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from oauthcore.clients.assertion import Assertion, algorithms_of, prove
from oauthcore.context import Context
from oauthcore.digest import Secret, same_digest
from oauthcore.jose.jwk import SYMMETRIC_ALGORITHMS, Jwk, symmetric
from oauthcore.records.client import Client, ClientSecret
from oauthcore.records.token import SpentAssertion


def prove_secret(assertion: Assertion, client: Client, context: Context) -> SpentAssertion:
    """Verify an assertion by the client's secrets; raises `InvalidClient` if none of them made it."""
    algorithms = algorithms_of(client, SYMMETRIC_ALGORITHMS, context)
    return prove(
        assertion, client, lambda: context.verify(assertion.text, shared_keys(client, context), algorithms), context
    )


def is_kept(client: Client) -> bool:
    """Return whether the server needs a client's secret itself, to verify the client's HMAC signatures."""
    signs = client.request_object_signing_alg in SYMMETRIC_ALGORITHMS
    return client.has_secret and (signs or client.token_endpoint_auth_method == "client_secret_jwt")


def remembered(secret: Secret, client: Client, context: Context) -> ClientSecret:
    """Return what is stored of a client's secret: its digest and, only if it is needed, the encrypted secret."""
    # Encrypted and not hashed, since the HMAC has to be computed with it; only for clients that need that.
    sealed = context.sealing.seal("client_secret", secret.reveal()) if is_kept(client) else None
    return ClientSecret(context.digest("client_secret", secret), sealed=sealed, portable=True)


def is_digest_of(kept: ClientSecret, secret: Secret, context: Context) -> bool:
    """Return whether what is remembered is that secret, in whichever form it was digested."""
    digest = context.digest("client_secret" if kept.portable else "client_secret_of_issuer", secret)
    # Digests of 256 random bits: the time of the comparison reveals nothing of use.
    return same_digest(kept.digest, digest)


def made_portable(client: Client, shown: Iterable[Secret], context: Context) -> Client | None:
    """Return a client whose secrets depend on no issuer, as far as they are at hand: None if nothing changes.

    At hand are those that are sealed, and those that the client has just shown.
    """
    secrets = tuple(_portable(secret, client, tuple(shown), context) for secret in client.secrets)
    return None if secrets == client.secrets else attrs.evolve(client, secrets=secrets)


def _portable(kept: ClientSecret, client: Client, shown: tuple[Secret, ...], context: Context) -> ClientSecret:
    if kept.portable:
        return kept
    text = None if kept.sealed is None else _opened(kept, context)
    candidates = shown if text is None else (Secret(text),)
    known = next((secret for secret in candidates if is_digest_of(kept, secret, context)), None)
    return kept if known is None else attrs.evolve(remembered(known, client, context), expires_at=kept.expires_at)


def shared_keys(client: Client, context: Context) -> tuple[Jwk, ...]:
    """Return the keys that a client's secrets are (OIDC Core section 10.1): those that are good, and were kept."""
    # OIDC Core section 10.1: the octets of the secret's UTF-8 are the HMAC key. Expired secrets verify nothing.
    live = (s for s in client.secrets if s.expires_at is None or context.now < s.expires_at)
    opened = (_opened(secret, context) for secret in live)
    return tuple(symmetric(secret.encode()) for secret in opened if secret is not None)


def _opened(kept: ClientSecret, context: Context) -> str | None:
    if kept.sealed is None:
        return None
    return context.sealing.unseal("client_secret" if kept.portable else "client_secret_of_issuer", kept.sealed)
