"""Add claims to a token before it is signed, or to what is said of one: those of its resources, and those of the host.

This is done after a decision and before its commit: if a claim can't be added, nothing is issued.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.context import Context
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.find_user import find_user
from oauthcore.flow.effects import Flow
from oauthcore.jose.jwt import Jwt
from oauthcore.per_request import per_request

_NONE: Mapping[str, object] = {}


@per_request
class ResourceClaims:
    """Hold the claims of resources: the names of claims of the user, and those that are the same in each token."""

    names: tuple[str, ...] = ()
    fixed: Mapping[str, object] = _NONE


NO_RESOURCE = ResourceClaims()


def claims_to_add(
    target: ClaimsTarget, context: Context, of_resources: ResourceClaims = NO_RESOURCE
) -> Flow[Mapping[str, object]]:
    """Return the claims to add; where none are configured, nothing is asked."""
    added: dict[str, object] = {}
    if context.extra_claims is not None:
        added |= yield from context.extra_claims(target)
    if of_resources.names and target.subject is not None:
        person = yield from find_user(target.subject, target.client, context.user_policy, of_resources.names)
        # A user who is gone since the decision asked has no claims; the token is as invalid as all of theirs.
        known = {name: (person or {}).get(name) for name in of_resources.names}
        # As at UserInfo, a claim that is not known is left out (OIDC Core section 5.3.2).
        added |= {name: value for name, value in known.items() if value is not None and value != ""}
    # What the operator has fixed is the last word.
    return {**added, **of_resources.fixed} if of_resources.fixed else added


def with_claims(
    jwt: Jwt, target: ClaimsTarget, context: Context, of_resources: ResourceClaims = NO_RESOURCE
) -> Flow[Jwt]:
    """Return a token that is not signed yet with the claims to add; those that it has already stay as they are."""
    added = yield from claims_to_add(target, context, of_resources)
    return attrs.evolve(jwt, claims={**added, **jwt.claims}) if added else jwt
