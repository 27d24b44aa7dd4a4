"""The claims that a token has for its resources: what their settings name, and every reader may know."""

from __future__ import annotations

from collections.abc import Sequence

from oauthcore.add_claims import NO_RESOURCE, ResourceClaims
from oauthcore.context import Context
from oauthcore.grants.audience import described
from oauthcore.jose.strict_json import same_value
from oauthcore.oidc.person import claims_for
from oauthcore.records.client import Client
from oauthcore.resources import Resource
from oauthcore.scope import Scope


def claims_in_token(audience: Sequence[str], client: Client, scope: Scope, context: Context) -> ResourceClaims:
    """Return the claims for a JWT access token, which all of its audience read, and the client, too.

    A client can read a JWT that it only has to pass on (RFC 9068 section 6). So one with pairwise subjects would know
    its users elsewhere (OIDC Core section 8.1), and a stranger's would learn more than a user has allowed it. In their
    tokens there are no more claims of the user than their scope stands for at UserInfo; the API gets the others by
    introspection.
    """
    shared = claims_of_audience(audience, client, context)
    if not shared.names or not (client.subject_type == "pairwise" or client.is_unverified):
        return shared
    mine = () if context.openid is None else claims_for(client, context.openid.claims_of(scope), context)
    return ResourceClaims(tuple(name for name in shared.names if name in mine), shared.fixed)


def claims_at_introspection(
    audience: Sequence[str], client: Client, scope: Scope, caller: Client, context: Context
) -> ResourceClaims:
    """Return the claims for a caller: those of the resources whose tokens it may introspect, else those in a JWT.

    `client` is the one that the token was issued to.
    """
    resources = [one for one in described(audience, client, context) if caller.client_id in one.introspected_by]
    if resources:
        return shared_claims(resources)
    if caller.client_id != client.client_id:  # a resource server that may introspect any token
        return claims_of_audience(audience, client, context)
    return claims_in_token(audience, client, scope, context)


def claims_of_audience(audience: Sequence[str], client: Client, context: Context) -> ResourceClaims:
    """Return the claims that a whole audience may know; the server itself, which has all of them, does not count."""
    resources = described(audience, client, context)
    # The rest of the audience is named by a rule of token exchange, say: nothing is known of what it may know.
    if len(resources) < sum(uri != context.issuer for uri in audience):
        return NO_RESOURCE
    return shared_claims(resources)


def shared_claims(resources: Sequence[Resource]) -> ResourceClaims:
    """Return the claims that all of these resources have: none learns from a token what is for another."""
    if not resources:
        return NO_RESOURCE
    first, *others = resources
    names = tuple(name for name in first.claims if all(name in other.claims for other in others))
    fixed = {
        name: value
        for name, value in first.fixed_claims.items()
        if all(name in other.fixed_claims and same_value(other.fixed_claims[name], value) for other in others)
    }
    return ResourceClaims(names, fixed)
