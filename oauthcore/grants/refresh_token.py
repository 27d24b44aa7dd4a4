"""The refresh token grant: rotation, reuse detection and honest retry, all three (RFC 6749 section 6).

The successor of a refresh token is derived from it under the server's token key, never drawn. So a client whose
answer was lost may present the same token again and gets the same pair, though the database holds only digests. Once
the successor has been used, or the retry window has closed, the same act is reuse, and the grant is revoked (RFC 9700
section 4.14.2). All of it turns on one record, the grant: one race, one family, any worker.
"""

from __future__ import annotations

import attrs

from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidGrant, InvalidScope
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Replace, Require
from oauthcore.grants.issuance import (
    Tokens,
    id_token_of,
    idle_until,
    issue_access,
    issue_refresh,
    person_of,
    scope_left,
    token_response,
)
from oauthcore.oidc.person import Person
from oauthcore.per_request import per_request
from oauthcore.records.grant import Grant, Rotation
from oauthcore.records.lifecycle import REFRESH, RefreshInput, RefreshState, advance
from oauthcore.records.liveness import IssuedTo, end_of_grant, registered_scope
from oauthcore.records.token import RefreshToken
from oauthcore.revocation import revoke_grant
from oauthcore.scope import Scope, parse_scope, resolve_scope
from oauthcore.wire.parameters import Parameters
from oauthcore.wire.refusals import refuse_as_json


@per_request
class Refresh:
    """Hold what a client sends to refresh."""

    token: Secret
    scope: Scope | None


@per_request
class RefreshFacts:
    """Hold what was found for it: the token, its grant, and the grant's person; None if they don't exist."""

    token: RefreshToken | None
    grant: Grant | None = None
    person: Person | None = None


def refresh_token(caller: Authenticated, parameters: Parameters, context: Context) -> Flow[Outcome]:
    """Refresh tokens."""
    asked = parameters.get("scope")
    refresh = Refresh(Secret(parameters.need("refresh_token")), None if asked is None else parse_scope(asked))
    token = yield from find(RefreshToken, context.digest("refresh_token", refresh.token))
    grant = None if token is None else (yield from find(Grant, token.grant))
    person = yield from person_of(caller.client, grant, context)
    return decide(refresh, caller, RefreshFacts(token, grant, person), context)


def decide(refresh: Refresh, caller: Authenticated, facts: RefreshFacts, context: Context) -> Outcome:
    """Rotate the newest token, answer the one before it again, and take an older one for reuse (RFC 6749 section 6)."""
    token, grant, person = facts.token, facts.grant, facts.person
    if token is None:
        raise InvalidGrant("the refresh token is unknown")
    if token.client_id != caller.client.client_id:
        raise InvalidGrant("the refresh token was issued to another client")
    end = end_of_grant(IssuedTo(caller.client, grant, person), context.policy, context.now)
    if end is not None or grant is None or person is None:
        raise InvalidGrant(f"the refresh token's {end}")
    if context.now >= token.expires_at:
        raise InvalidGrant("the refresh token has expired")
    state = state_of(refresh.token, token, grant, context)
    if advance(REFRESH, state, RefreshInput.PRESENT) is None:
        return reuse(grant, context)
    scope = allowed_scope(asked_anew(refresh, grant), grant, caller)
    if state is RefreshState.SUPERSEDED and grant.rotation is not None:
        return answer_again(refresh, caller, grant, grant.rotation, person, context)
    return rotate(refresh, caller, grant, scope, person, context)


def asked_anew(refresh: Refresh, grant: Grant) -> Scope | None:
    """Return which scope is asked for, without what the authorization request asked for in vain.

    Client libraries repeat the whole scope of that request. RFC 6749 section 6 forbids to ask for more than was
    granted; but what was left out then without a refusal (offline_access, a scope that is not known, one that the
    person took out) is left out now in the same way, and the answer's `scope` says so.
    """
    if refresh.scope is None:
        return None
    asked = refresh.scope.without(grant.withheld)
    if not asked:
        raise InvalidScope("nothing is asked for but what the authorization left out")
    return asked


def allowed_scope(asked: Scope | None, grant: Grant, caller: Authenticated) -> Scope:
    """Check that no more is asked for than was allowed; what was taken out of the registration since is left out.

    (RFC 6749 sections 6 and 3.3.) Raises `InvalidScope` where nothing is left of what was asked for.
    """
    left = scope_left(grant.scope, caller.client)
    scope = left if asked is None else resolve_scope(asked, left, grant.scope).within(left)
    if asked and not scope:
        raise InvalidScope("the client is not registered any more for anything of what it asks for")
    return scope


def state_of(value: Secret, token: RefreshToken, grant: Grant, context: Context) -> RefreshState:
    """Tell from the grant where in the succession a token stands."""
    if token.key == grant.refresh_token:
        return RefreshState.CURRENT
    successor = context.digest("refresh_token", context.derive("refresh_token", value))
    if successor != grant.refresh_token or grant.rotation is None:
        return RefreshState.SPENT
    window = context.policy.lifetimes.refresh_retry_lifetime
    return RefreshState.SUPERSEDED if context.now < grant.rotation.rotated_at + window else RefreshState.SPENT


def rotate(
    refresh: Refresh, caller: Authenticated, grant: Grant, scope: Scope, person: Person, context: Context
) -> Outcome:
    """Issue the successors, and make them the newest of the grant."""
    pair = successors(refresh, caller, grant, scope, person, context)
    assert pair.refresh is not None
    access, successor = pair.access.record, pair.refresh.record
    rotation = Rotation(context.now, scope, access.expires_at, successor.expires_at)
    return Decision(
        token_response(pair, context.now),
        (
            Require(caller.client),
            Replace(grant, attrs.evolve(grant, refresh_token=successor.key, rotation=rotation)),
            Insert(access),
            Insert(successor),
        ),
        (Event("token_refreshed", grant.client_id, grant.subject, grant.key),),
    )


def answer_again(
    refresh: Refresh, caller: Authenticated, grant: Grant, rotation: Rotation, person: Person, context: Context
) -> Outcome:
    """Return the same pair as before: derived again as of that second, nothing changed, not a second longer."""
    then = attrs.evolve(context, now=rotation.rotated_at)
    scope = registered_scope(rotation.scope, caller.client)
    pair = successors(refresh, caller, grant, scope, person, then, rotation)
    event = Event("token_refresh_retried", grant.client_id, grant.subject, grant.key)
    return Decision(token_response(pair, context.now), (), (event,))


def successors(
    refresh: Refresh,
    caller: Authenticated,
    grant: Grant,
    scope: Scope,
    person: Person,
    context: Context,
    before: Rotation | None = None,
) -> Tokens:
    """Derive the pair that follows a refresh token, expiring as it did before where it was given before.

    An ID token made on the way has no nonce: that was for the browser that asked (OIDC Core section 12.2).
    """
    client = caller.client
    access = issue_access(context.derive("access_token", refresh.token), client, grant, scope, context, before)
    expires_at = idle_until(client, grant.expires_at, context) if before is None else before.refresh_token_expires_at
    successor = issue_refresh(context.derive("refresh_token", refresh.token), client, grant, expires_at, context)
    id_token = id_token_of(client, grant, scope, None, person, context)
    return Tokens(access, scope, successor, id_token)


def reuse(grant: Grant, context: Context) -> Outcome:
    """Refuse a token that was used before, and end its grant: who knows who has it? (RFC 9700 section 4.14.2)"""
    refusal = refuse_as_json(InvalidGrant("the refresh token was used before; its grant is revoked"), context.issuer)
    event = Event("refresh_token_reused", grant.client_id, grant.subject, grant.key)
    return Decision(refusal, (Replace(grant, revoke_grant(grant)),), (event,))
