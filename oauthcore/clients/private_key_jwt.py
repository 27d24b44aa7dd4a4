"""`private_key_jwt`: an assertion signed with the client's private key (OIDC Core section 9, RFC 7523)."""

from __future__ import annotations

from oauthcore.clients.assertion import Assertion, prove
from oauthcore.context import Context
from oauthcore.jwk import ASYMMETRIC_ALGORITHMS
from oauthcore.oidc.client_keys import keys_of
from oauthcore.records import Client, SpentAssertion


def prove_private_key(assertion: Assertion, client: Client, context: Context) -> SpentAssertion:
    """Verify an assertion by the public keys that the client registered, or publishes.

    Raises `Missing`, and `InvalidClient` where none of them made it.
    """
    keys = keys_of(client, context, kid=assertion.kid)
    return prove(assertion, client, keys, ASYMMETRIC_ALGORITHMS, context)
