"""The terms of an access token: all that a grant decides about it, in one value.

The record, a JWT, introspection and the token response say what the terms say. A grant that issues something else than
is usual changes what `usual_terms` returns, and nothing else.
"""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.grants.token_request import ProofOfPossession
from oauthcore.per_request import per_request
from oauthcore.records.actor import Actor
from oauthcore.records.client import AccessTokenFormat, Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.scope import Scope


@per_request
class TokenTerms:
    """Say for which client an access token is, what it allows, where, and until when (seconds since the epoch).

    With a `confirmation` it is good only together with a proof that its presenter has the key (RFC 7800). `actors` are
    those who act with it for the person, the current one first (RFC 8693 section 4.1).
    """

    client: Client
    scope: Scope
    audience: tuple[str, ...]
    expires_at: int
    format: AccessTokenFormat = "opaque"
    confirmation: Confirmation | None = None
    actors: tuple[Actor, ...] = ()


def usual_terms(client: Client, scope: Scope, proof: ProofOfPossession | None, context: Context) -> TokenTerms:
    """Return the terms for this server's own resources, as long as is usual for the client, bound to the proven key."""
    return TokenTerms(
        client,
        scope,
        (context.issuer,),
        context.access_token_expires_at(client),
        client.access_token_format,
        None if proof is None else proof.confirmation,
    )
