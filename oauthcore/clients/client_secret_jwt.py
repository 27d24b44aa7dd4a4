"""`client_secret_jwt`: an assertion signed with the client's secret (OIDC Core section 9, RFC 7523).

An HMAC can't be checked with a digest of its key, so the secrets of these clients are kept themselves, sealed under a
key that is derived from the server's own; a storage that is stolen alone is no use to the thief.
"""

from __future__ import annotations

from oauthcore import jose
from oauthcore.client import Client, ClientSecret
from oauthcore.clients.assertion import Assertion, algorithms_of, prove
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.jwk import SYMMETRIC_ALGORITHMS, Jwk, symmetric
from oauthcore.records import SpentAssertion


def prove_secret(assertion: Assertion, client: Client, context: Context) -> SpentAssertion:
    """Verify an assertion by the client's secrets; raises `InvalidClient` where none of them made it."""
    algorithms = algorithms_of(client, SYMMETRIC_ALGORITHMS)
    return prove(
        assertion, client, lambda: context.verify(assertion.text, shared_keys(client, context), algorithms), context
    )


def is_kept(client: Client) -> bool:
    """Tell whether a client's secret has to be had again, for the signatures that it makes with it."""
    signs = client.request_object_signing_alg in SYMMETRIC_ALGORITHMS
    return client.has_secret and (signs or client.token_endpoint_auth_method == "client_secret_jwt")


def remembered(secret: Secret, client: Client, context: Context) -> ClientSecret:
    """Give what is remembered of a client's secret: its digest, and itself, sealed, only where it has to be had."""
    sealed = jose.seal(secret.reveal(), context.derive.key("client_secret")) if is_kept(client) else None
    return ClientSecret(context.digest("client_secret", secret), sealed=sealed)


def shared_keys(client: Client, context: Context) -> tuple[Jwk, ...]:
    """Give the keys that a client's secrets are (OIDC Core section 10.1): those that are good, and were kept."""
    live = (s for s in client.secrets if s.expires_at is None or context.now < s.expires_at)
    opened = (_opened(secret.sealed, context) for secret in live if secret.sealed is not None)
    return tuple(symmetric(secret.encode()) for secret in opened if secret is not None)


def _opened(sealed: str, context: Context) -> str | None:
    try:
        return jose.unseal(sealed, context.derive.key("client_secret"))
    except ValueError:  # sealed under a token key that is no longer the server's
        return None
