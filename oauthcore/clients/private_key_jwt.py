"""`private_key_jwt`: an assertion signed with the client's private key (OIDC Core section 9, RFC 7523)."""

from __future__ import annotations

from oauthcore.clients.assertion import Assertion, algorithms_of, prove
from oauthcore.context import Context
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS
from oauthcore.oidc.client_keys import verify_by_keys_of
from oauthcore.records.client import Client
from oauthcore.records.token import SpentAssertion


def prove_private_key(assertion: Assertion, client: Client, context: Context) -> SpentAssertion:
    """Verify an assertion by the public keys that the client registered, or publishes.

    Raises `DocumentNeeded`, and `InvalidClient` where none of them made it.
    """
    # Never an HMAC here: the client's public key must not serve as a shared secret (RFC 8725 section 2.1).
    algorithms = algorithms_of(client, ASYMMETRIC_ALGORITHMS, context)
    return prove(assertion, client, lambda: verify_by_keys_of(client, assertion.text, algorithms, context), context)
