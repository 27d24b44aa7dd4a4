"""The refresh token grant: rotation, reuse detection and honest retry, all three (RFC 6749 section 6).

The successor of a refresh token is derived from it under the server's token key, never drawn. So a client whose
answer was lost may present the same token again and gets the same pair, though the database holds only digests. Once
the successor has been used, or the retry window has closed, the same act is reuse, and the grant is revoked (RFC 9700
section 4.14.2). All of it turns on one record, the grant: one race, one family, any worker.
"""

from __future__ import annotations

import attrs

from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidGrant, InvalidScope, InvalidTarget
from oauthcore.find_user import preconditions
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Replace, Require
from oauthcore.grants.audience import audience_within, understood_scope
from oauthcore.grants.granted_details import details_within
from oauthcore.grants.issuance import (
    Issue,
    Tokens,
    answered,
    id_token_of,
    idle_until,
    issue_access,
    issue_refresh,
    person_of,
    scope_left,
)
from oauthcore.grants.terms import TokenTerms, usual_terms
from oauthcore.grants.token_request import TokenRequest
from oauthcore.oidc.person import Person
from oauthcore.per_request import per_request
from oauthcore.policy import RefreshRotation
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant, Rotation
from oauthcore.records.lifecycle import REFRESH, RefreshInput, RefreshState, advance
from oauthcore.records.liveness import IssuedTo, end_of_grant, registered_scope
from oauthcore.records.token import RefreshToken
from oauthcore.revocation import revoke_grant
from oauthcore.scope import Scope, resolve_scope
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


@per_request
class OwnRefreshToken:
    """Prove that a refresh token belongs to the client, and that it, its grant and its user are live.

    `audience` are the requested resources of the grant, `details` its requested authorization details.
    """

    value: Secret
    request: TokenRequest
    grant: Grant
    person: Person
    audience: tuple[str, ...]
    details: tuple[str, ...] = ()


def refresh_token(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Refresh tokens."""
    refresh = Refresh(Secret(request.parameters.need("refresh_token")), request.scope)
    # By its digest: a stolen database contains no token to present.
    token = yield from find(RefreshToken, context.digest("refresh_token", refresh.token))
    grant = None if token is None else (yield from find(Grant, token.grant))
    person = yield from person_of(request.client, grant, context)
    return (yield from answered(decide(refresh, request, RefreshFacts(token, grant, person), context), context))


def decide(refresh: Refresh, request: TokenRequest, facts: RefreshFacts, context: Context) -> Issue:
    """Rotate the newest token, repeat the answer to the one before it, and take an older one for reuse.

    (RFC 6749 section 6, RFC 9700 section 4.14.2)
    """
    client, token, grant, person = request.client, facts.token, facts.grant, facts.person
    if token is None:
        raise InvalidGrant("the refresh token is unknown")
    # RFC 6749 section 6: a refresh token is bound to the client it was issued to. Checked before anything that revokes,
    # so that another client can't end the grant.
    if token.client_id != client.client_id:
        raise InvalidGrant("the refresh token was issued to another client")
    # RFC 9449 section 5: a public client's is bound to its key. Also before what revokes: without the key, a thief can
    # neither use the token nor end the grant by it.
    if token.confirmation is not None and not token.confirmation.is_met_by(request.confirmation):
        raise InvalidGrant("the refresh token is bound to a key that was not proven")
    # The reason is for the log only: the client gets `invalid_grant` for each of them (RFC 6749 section 5.2).
    end = end_of_grant(IssuedTo(client, grant, person), context.policy, context.now, context.admits)
    if end is not None or grant is None or person is None:
        raise InvalidGrant(f"the refresh token's {end}")
    if context.now >= token.expires_at:
        raise InvalidGrant("the refresh token has expired").by_setting("refresh_token_lifetime")
    state = state_of(refresh.token, token, grant, context)
    # RFC 9700 section 4.14.2: if a replaced refresh token is used, two parties have copies. It is unknown which one is
    # honest, so the grant is revoked for both. The expiry is checked first: an expired token, found in an old backup,
    # say, is no sign of theft.
    if advance(REFRESH, state, RefreshInput.PRESENT) is None:
        return reuse(grant, client, context)
    # After reuse detection: a thief's bad scope must not hide the reuse.
    scope = allowed_scope(requested_scope(refresh, grant), grant, client, context)
    audience: tuple[str, ...] = (context.issuer,)
    if context.resources is not None or grant.resources:
        audience = audience_within(request.resources, grant, client, context)
    details = () if context.authorization_details is None else details_within(request, grant, context)
    own = OwnRefreshToken(refresh.token, request, grant, person, audience, details)
    if state is RefreshState.SUPERSEDED and grant.rotation is not None:
        return repeat_rotation(own, grant.rotation, context)
    if keeps_token(request, context):
        return keep(own, token, scope, context)
    return rotate(own, scope, context)


def keeps_token(request: TokenRequest, context: Context) -> bool:
    """Return whether the policy leaves the refresh token of such a request as it is."""
    if context.policy.refresh_rotation is RefreshRotation.ALWAYS:
        return False
    # A public client has nothing but the token and its key; RFC 9700 section 2.2.2 wants one of two, it gets both.
    return request.proof is not None and not request.client.is_public


def keep(own: OwnRefreshToken, token: RefreshToken, scope: Scope, context: Context) -> Issue:
    """Issue an access token, and leave the refresh token as it is, but for the time until which it may stay unused."""
    client, grant = own.request.client, own.grant
    terms = terms_of(own, scope, context)
    access = issue_access(terms, grant, context.mint(), context)
    used = attrs.evolve(token, expires_at=idle_until(client, grant.expires_at, context))
    return Decision(
        Tokens(access, None, id_token_of(client, grant, terms.scope, None, own.person, context)),
        (
            Require(client),
            *preconditions(own.person),
            # A revocation that comes first makes the commit fail; refreshes at once don't disturb each other.
            Require(grant),
            *(() if used == token else (Replace(token, used),)),
            Insert(access.record),
        ),
        (Event("token_refreshed", grant.client_id, grant.subject, grant.key),),
    )


def terms_of(own: OwnRefreshToken, scope: Scope, context: Context) -> TokenTerms:
    """Return the terms of the next access token, whether the refresh token stays or is replaced."""
    client, grant = own.request.client, own.grant
    if grant.resources:
        scope = understood_scope(scope, own.audience, grant.resources, client, context)
    terms = usual_terms(client, scope, own.request.proof, context, own.audience)
    return attrs.evolve(terms, details=own.details) if own.details else terms


def requested_scope(refresh: Refresh, grant: Grant) -> Scope | None:
    """Return the requested scope, without what the authorization request asked for and did not get.

    Client libraries repeat the whole scope of that request. RFC 6749 section 6 forbids requesting more than was
    granted. But a scope that was silently left out then (offline_access, an unknown scope, one that the user removed)
    is left out again, and `scope` in the response says so.
    """
    if refresh.scope is None:
        return None
    requested = refresh.scope.without(grant.withheld)
    if not requested:
        raise InvalidScope("the request asks for none of the scope that was allowed")
    return requested


def allowed_scope(requested: Scope | None, grant: Grant, client: Client, context: Context) -> Scope:
    """Check that the requested scope was granted, and leave out what is no longer registered for the client.

    (RFC 6749 sections 6 and 3.3.) Raises `InvalidScope` if nothing is left.
    """
    left, implies = scope_left(grant.scope, client, context), context.policy.implies
    if requested is None:
        return left
    # RFC 6749 section 6: the scope MUST NOT include anything that was not granted by the resource owner.
    scope = implies.within(resolve_scope(requested, left, implies(grant.scope)), left)
    if not scope:
        raise InvalidScope("the client is no longer registered for any scope that it requests").by_setting(
            "client.scope"
        )
    return scope


def state_of(value: Secret, token: RefreshToken, grant: Grant, context: Context) -> RefreshState:
    """Return from the grant whether a token is the newest, its predecessor, or older."""
    # The grant stores only the digest of its newest refresh token. Whether another token is its predecessor follows
    # from deriving that token's successor, so that no chain of old tokens is stored.
    if token.key == grant.refresh_token:
        return RefreshState.CURRENT
    successor = context.digest("refresh_token", context.derive("refresh_token", value))
    if successor != grant.refresh_token or grant.rotation is None:
        return RefreshState.SPENT
    # Not in the standards: a client that lost the response retries within this window. It gets the same pair, so that a
    # thief who comes within it gains nothing beyond what the stolen token was worth anyway.
    window = context.policy.lifetimes.refresh_retry_lifetime
    return RefreshState.SUPERSEDED if context.now < grant.rotation.rotated_at + window else RefreshState.SPENT


def rotate(own: OwnRefreshToken, scope: Scope, context: Context) -> Issue:
    """Issue the successors, and make them the newest of the grant."""
    client, grant = own.request.client, own.grant
    terms = terms_of(own, scope, context)
    pair = successors(own, terms, idle_until(client, grant.expires_at, context), context)
    assert pair.refresh is not None
    access, successor = pair.access.record, pair.refresh.record
    # RFC 9700 section 2.2.2: a public client's refresh tokens MUST be rotated or bound to a key. Here all are rotated.
    rotation = Rotation(
        context.now,
        terms.scope,
        access.expires_at,
        successor.expires_at,
        access.confirmation,
        own.audience if grant.resources else (),
        own.details,
    )
    return Decision(
        pair,
        (
            Require(client),
            # A user who leaves a group while this is decided gets no new tokens.
            *preconditions(own.person),
            # All refreshes of a grant replace the same record: one of several at once wins, the others see its rotation
            # and answer with the same pair.
            Replace(grant, attrs.evolve(grant, refresh_token=successor.key, rotation=rotation)),
            Insert(access),
            Insert(successor),
        ),
        (Event("token_refreshed", grant.client_id, grant.subject, grant.key),),
    )


def repeat_rotation(own: OwnRefreshToken, rotation: Rotation, context: Context) -> Issue:
    """Return the same pair as before: derived again as of that second, nothing changed, not a second longer."""
    client, grant = own.request.client, own.grant
    # Lifetimes count from the rotation: retrying must not prolong anything.
    then = attrs.evolve(context, now=rotation.rotated_at)
    if set(own.audience) != set(rotation.audience or (context.issuer,)):
        # The stored token is for the resources of the first request, and the response does not say which.
        raise InvalidTarget.with_description("the refresh is retried for other resources than it was made for")
    terms = usual_terms(
        client, registered_scope(rotation.scope, client, context.policy), own.request.proof, then, rotation.audience
    )
    # The stored token is bound to the key of the first request; with another key it would be useless.
    if terms.confirmation != rotation.confirmation:
        raise InvalidGrant("the refresh is retried with another key than it was made with")
    if set(own.details) != set(rotation.details):
        raise InvalidGrant("the refresh is retried for other authorization details than it was made for")
    terms = attrs.evolve(terms, expires_at=rotation.access_token_expires_at, details=rotation.details)
    pair = successors(own, terms, rotation.refresh_token_expires_at, then)
    event = Event("token_refresh_retried", grant.client_id, grant.subject, grant.key)
    return Decision(pair, (), (event,))


def successors(own: OwnRefreshToken, terms: TokenTerms, expires_at: int, context: Context) -> Tokens:
    """Derive the tokens that follow a refresh token; the new refresh token expires then if it is not used.

    Its ID token has no nonce, which was for the browser of the authorization request (OIDC Core section 12.2).
    """
    # Derived with the server's token key: no one else can compute the successor of a token.
    access = issue_access(terms, own.grant, context.derive("access_token", own.value), context)
    value = context.derive("refresh_token", own.value)
    successor = issue_refresh(value, terms, own.grant, expires_at, context)
    return Tokens(access, successor, id_token_of(terms.client, own.grant, terms.scope, None, own.person, context))


def reuse(grant: Grant, client: Client, context: Context) -> Issue:
    """Refuse a token that was used before, and end its grant: who knows who has it? (RFC 9700 section 4.14.2)"""
    reused = InvalidGrant("the refresh token was used before; its grant is revoked")
    refusal = refuse_as_json(explain(reused, client, context), context.issuer)
    event = Event("refresh_token_reused", grant.client_id, grant.subject, grant.key)
    return Decision(refusal, (Replace(grant, revoke_grant(grant)),), (event,))
