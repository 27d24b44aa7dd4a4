"""The terms of an access token: all that a grant decides about it, in one value.

The record, a JWT, introspection and the token response say what the terms say. A grant that issues something else than
is usual changes what `usual_terms` returns, and nothing else.
"""

from __future__ import annotations

import attrs

from oauthcore.context import Context
from oauthcore.digest import Digest
from oauthcore.errors import InvalidTarget
from oauthcore.grants.audience import described
from oauthcore.per_request import per_request
from oauthcore.possession import ProofOfPossession
from oauthcore.records.actor import Actor
from oauthcore.records.client import AccessTokenFormat, Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.scope import Scope


@per_request
class TokenTerms:
    """Say for which client an access token is, what it allows, where, and until when (seconds since the epoch).

    With a `confirmation`, it is valid only with a proof of possession of that key (RFC 7800). `actors` act with it for
    the user, the current one first (RFC 8693 section 4.1); it ends with each of the `actor_grants`. A JWT is signed
    with `signing_alg`; the default is the client's. `details` are authorization details (RFC 9396).
    """

    client: Client
    scope: Scope
    audience: tuple[str, ...]
    expires_at: int
    format: AccessTokenFormat = "opaque"
    confirmation: Confirmation | None = None
    actors: tuple[Actor, ...] = ()
    actor_grants: tuple[Digest, ...] = ()
    signing_alg: str | None = None
    details: tuple[str, ...] = ()


def usual_terms(
    client: Client,
    scope: Scope,
    proof: ProofOfPossession | None,
    context: Context,
    audience: tuple[str, ...] = (),
) -> TokenTerms:
    """Return the terms for an audience, by default this server itself: as is usual there, and for the client elsewhere.

    It is bound to the proven key. Raises `InvalidTarget` for resources that can't have one token together.
    """
    terms = TokenTerms(
        client,
        scope,
        audience or (context.issuer,),
        context.access_token_expires_at(client),
        client.access_token_format,
        None if proof is None else proof.confirmation,
    )
    return terms if context.resources is None else as_resources_want(terms, context)


def as_resources_want(terms: TokenTerms, context: Context) -> TokenTerms:
    """Return the terms as the settings of the resources require; the defaults are the client's.

    If there are several, the shortest lifetime is used. If one requires a JWT, it is a JWT, which can also be
    introspected.
    """
    resources = described(terms.audience, terms.client, context)
    lifetimes = [one.access_token_lifetime for one in resources if one.access_token_lifetime is not None]
    formats = {one.access_token_format for one in resources if one.access_token_format is not None}
    algorithms = {one.access_token_signing_alg for one in resources if one.access_token_signing_alg is not None}
    if len(algorithms) > 1:
        raise InvalidTarget.with_description(
            "no token can be issued for all of these resources together: request one of them"
        )
    return attrs.evolve(
        terms,
        expires_at=context.now + min(lifetimes) if lifetimes else terms.expires_at,
        format="jwt" if "jwt" in formats else "opaque" if formats else terms.format,
        signing_alg=next(iter(algorithms), None),
    )
