"""Issuance: the records and the answer of freshly made tokens (RFC 6749 section 5.1)."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from oauthcore.add_claims import with_claims
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidGrant
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Decision, Insert, Outcome
from oauthcore.grants.audience import audience_within, understood_scope
from oauthcore.grants.granted_details import details_within
from oauthcore.grants.jwt_access_token import jwt_access_token
from oauthcore.grants.resource_claims import claims_in_token
from oauthcore.grants.terms import TokenTerms, usual_terms
from oauthcore.grants.token_request import TokenRequest
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.id_token import HashInputs, IdTokenDetails, claimed_by, id_token, is_due, names_in, with_hashes
from oauthcore.oidc.person import Person, load_claims
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.confirmation import token_type
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import registered_scope
from oauthcore.records.token import AccessToken, RefreshToken
from oauthcore.scope import Scope, withheld_scope
from oauthcore.wire.http import Response, json_response


@per_request
class IssuedAccess:
    """Pair an access token with its record, and with the client that it is issued to.

    `jwt` has the claims if it is to be a JWT (RFC 9068), which is not signed yet; its `jti` is derived from `value`.
    """

    value: Secret
    record: AccessToken
    client: Client
    jwt: Jwt | None = None


@per_request
class IssuedRefresh:
    """Pair a refresh token with its record."""

    value: Secret
    record: RefreshToken


def issue_access(terms: TokenTerms, grant: Grant | None, value: Secret, context: Context) -> IssuedAccess:
    """Make an access token on a grant, which it never outlives, or the client's own token if there is no grant.

    A JWT is stored under its `jti`, as another kind: who reads that in some log has nothing to present.
    """
    # A JWT without an audience would be good everywhere (RFC 9068 section 4), one with an empty `cnf` for everybody.
    assert terms.audience, "an access token is for somebody"
    assert terms.confirmation is None or terms.confirmation.members, "a confirmation names a key"
    client = terms.client
    is_jwt = terms.format == "jwt"
    expires_at = terms.expires_at
    # No token outlives its grant: what a user allowed for a day is not good for longer through a late refresh.
    if grant is not None and grant.expires_at < expires_at:
        expires_at = grant.expires_at
    record = AccessToken(
        # Digests of different kinds never meet: a `jti`, which logs may show, can't be presented as an opaque token.
        key=context.digest("jti" if is_jwt else "access_token", value),
        client_id=client.client_id,
        subject=None if grant is None else grant.subject,
        grant=None if grant is None else grant.key,
        scope=terms.scope,
        # A grant of the host's may have lists: in memory, what has one is not equal to what has a tuple.
        audience=tuple(terms.audience),
        issued_at=context.now,
        expires_at=expires_at,
        # A client's own token ends with its registration, and so does one that it got by exchange; for other tokens the
        # grant has the generation.
        client_generation=client.generation if grant is None or grant.client_id != client.client_id else "",
        confirmation=terms.confirmation,
        actors=tuple(terms.actors),
        actor_grants=tuple(terms.actor_grants),
        details=tuple(terms.details),
    )
    jwt = jwt_access_token(value, record, client, grant, context, terms.signing_alg) if is_jwt else None
    return IssuedAccess(value, record, client, jwt)


def issue_refresh(value: Secret, terms: TokenTerms, grant: Grant, expires_at: int, context: Context) -> IssuedRefresh:
    """Make the record of the refresh token that comes with an access token of these terms.

    Only a public client's is bound to the key of the access token (RFC 9449 section 5, RFC 8705 section 4). One that
    authenticates proves itself in that way, and may change its keys.
    """
    client = terms.client
    record = RefreshToken(
        key=context.digest("refresh_token", value),
        client_id=client.client_id,
        subject=grant.subject,
        grant=grant.key,
        issued_at=context.now,
        expires_at=expires_at,
        confirmation=terms.confirmation if client.is_public else None,
    )
    return IssuedRefresh(value, record)


def idle_until(client: Client, over: int, context: Context) -> int:
    """Return when a refresh token expires that is made now: unused, after the idle lifetime, and never after `over`."""
    return min(context.refresh_token_expires_at(client), over)


def person_of(client: Client, grant: Grant | None, context: Context) -> Flow[Person | None]:
    """Ask whether the application knows a grant's person, and for what an ID token has to say of them.

    Beside who they are that is mostly nothing; it is one question all the same. None if they are not known any more,
    or may not use the client.
    """
    if grant is None:
        return None
    names: tuple[str, ...] = ()
    if (grant.claims is not None or client.id_token_claims == "all") and is_due(grant.scope, context):
        names = names_in(client, claimed_by(client, grant.scope), grant.claims, context)
    return (yield from load_claims(grant.subject, client, names, grant.claims_locales, context))


def scope_left(scope: Scope, client: Client, context: Context) -> Scope:
    """Return the part of an allowed scope that may still be issued, without what the registration has lost since.

    Raises `InvalidGrant` if nothing is left. The `scope` of the response tells the client what is left (RFC 6749 5.1).
    """
    left = registered_scope(scope, client, context.policy)
    if scope and not left:
        raise InvalidGrant("the client is no longer registered for any scope that was allowed").by_setting(
            "client.scope"
        )
    return left


def id_token_of(
    client: Client, grant: Grant, scope: Scope, nonce: str | None, person: Person, context: Context
) -> Jwt | None:
    """Return the ID token that belongs to an access token of that scope, None if none does.

    The hash of the access token is added once that is signed.
    """
    if not is_due(scope, context):
        return None
    return id_token(client, grant, IdTokenDetails(nonce, person, claimed_by(client, scope)), context)


def new_grant(
    client: Client,
    subject: str,
    scope: Scope,
    auth_time: int | None,
    context: Context,
    requested: Scope | None = None,
    resources: tuple[str, ...] = (),
) -> Grant:
    """Create the grant of what a user has just allowed at some resources.

    It expires with what is issued at once; redeeming the code prolongs it. So a code that is never redeemed leaves no
    long-lived record.
    """
    implies = context.policy.implies
    return Grant(
        key=context.digest("grant", context.mint()),
        client_id=client.client_id,
        subject=subject,
        scope=scope,
        auth_time=auth_time,
        granted_at=context.now,
        expires_at=max(context.code_expires_at(client), context.access_token_expires_at(client)),
        # If the client is removed and another one gets its identifier, that one can't use this grant.
        client_generation=client.generation,
        withheld=withheld_scope(requested, implies(scope) if implies.implied else scope),
        resources=tuple(resources),
    )


@per_request
class Tokens:
    """Hold what a token response says.

    `id_token` is the one that belongs to the access token, without that one's hash. `members` are further members of
    the response, as extensions have them: `issued_token_type` (RFC 8693 section 2.2.1), say.
    """

    access: IssuedAccess
    refresh: IssuedRefresh | None = None
    id_token: Jwt | None = None
    members: tuple[tuple[str, object], ...] = ()


@per_request
class FirstTokens:
    """Hold the first tokens on a grant, and the updated grant."""

    grant: Grant
    tokens: Tokens
    changes: tuple[Change, ...]


def issue_first_tokens(
    request: TokenRequest, grant: Grant, context: Context, id_token: Jwt | None = None, scope: Scope | None = None
) -> FirstTokens:
    """Issue on a grant for the first time: an access token, and a refresh token to a client registered for that.

    `scope` is what `scope_left` returned for the grant, where that is known already.
    """
    client = request.client
    audience: tuple[str, ...] = ()
    scope = scope_left(grant.scope, client, context) if scope is None else scope
    # Where resources are not told apart, the token is for the server itself: there is nothing to look at.
    if context.resources is not None or grant.resources:
        audience = audience_within(request.resources, grant, client, context)
        scope = understood_scope(scope, audience, grant.resources, client, context)
    terms = usual_terms(client, scope, request.proof, context, audience)
    if context.authorization_details is not None:
        terms = attrs.evolve(terms, details=details_within(request, grant, context))
    # RFC 6749 section 1.5: issuing one is at the server's discretion. Only clients that are registered to use it get
    # one, since an unused refresh token can only be stolen.
    refreshable = "refresh_token" in client.grant_types and "refresh_token" in context.policy.grant_types
    # A refresh token may be rotated on and on until the absolute lifetime is over, counted from the person's decision.
    over = (
        context.grant_expires_at(client, grant.granted_at) if refreshable else context.access_token_expires_at(client)
    )
    value, refresh = context.mint(), None
    changes: tuple[Change, ...] = ()
    if refreshable:
        refresh = issue_refresh(context.mint(), terms, grant, idle_until(client, over, context), context)
        changes = (Insert(refresh.record),)
    # From now on the grant lasts as long as its refresh tokens may. Until the code was redeemed, it lasted minutes.
    lasting = attrs.evolve(grant, expires_at=over, refresh_token=None if refresh is None else refresh.record.key)
    access = issue_access(terms, lasting, value, context)
    return FirstTokens(lasting, Tokens(access, refresh, id_token), (Insert(access.record), *changes))


Issue: TypeAlias = Decision[Tokens | Response]
"""The decision of a grant: tokens, of which some may be unsigned, or a refusal that has consequences."""


def answered(decision: Issue, context: Context) -> Flow[Outcome]:
    """Return a grant's decision with its response.

    Tokens are signed here: after the decision's checks, since a signature costs more than all of them, and before the
    commit, so that nothing is used up if there is no key.
    """
    value = decision.value
    response = (yield from token_response(value, context)) if isinstance(value, Tokens) else value
    return Decision(response, decision.changes, decision.events)


def token_response(tokens: Tokens, context: Context) -> Flow[Response]:
    """Answer with tokens; the ID token is signed last, as the access token's hash is in it (OIDC Core 3.1.3.6)."""
    access_token = tokens.access.value
    if tokens.access.jwt is not None:
        access_token = yield from signed_access_token(tokens.access, tokens.access.jwt, context)
    members = token_members(tokens, access_token, context.now)
    # OIDC Core section 3.1.3.6: `at_hash` binds the ID token to this access token, so neither can be swapped.
    if tokens.id_token is not None:
        hashed = with_hashes(tokens.id_token, HashInputs(access_token=access_token))
        if context.extra_claims is not None:
            record = tokens.access.record
            target = id_token_target(tokens.access.client, record.subject, record.scope)
            hashed = yield from with_claims(hashed, target, context)
        members["id_token"] = yield from context.sign(hashed)
    return json_response(200, members)


def signed_access_token(issued: IssuedAccess, jwt: Jwt, context: Context) -> Flow[Secret]:
    """Return an access token that is a JWT as the client gets it, with the claims to add."""
    client, record = issued.client, issued.record
    target = ClaimsTarget(
        place="access_token", client=client, subject=record.subject, scope=record.scope, audience=record.audience
    )
    of_resources = claims_in_token(record.audience, client, record.scope, context)
    return Secret((yield from context.sign((yield from with_claims(jwt, target, context, of_resources)))))


def id_token_target(client: Client, subject: str | None, scope: Scope) -> ClaimsTarget:
    """Describe an ID token, which is for its client, to the function that adds claims."""
    return ClaimsTarget(place="id_token", client=client, subject=subject, scope=scope, audience=(client.client_id,))


def token_members(tokens: Tokens, access_token: Secret, now: int) -> dict[str, object]:
    """Return the members of a token response; lifetimes are in seconds from now (RFC 6749 section 5.1).

    The scope is always included, whether or not it differs from the requested one.
    """
    # RFC 6749 appendix A.14: no sign. What an honest retry is answered with may have expired since.
    access = tokens.access.record
    members: dict[str, object] = {"expires_in": max(0, access.expires_at - now)}
    if tokens.refresh is not None:
        members["refresh_token_expires_in"] = tokens.refresh.record.expires_at - now
    members["access_token"] = access_token.reveal()
    if tokens.refresh is not None:
        members["refresh_token"] = tokens.refresh.value.reveal()
    # RFC 6749 section 5.1: REQUIRED if it differs from what was requested; always sent, it never misleads. An empty
    # scope can't be written (section 3.3: at least one token).
    if access.scope.tokens:
        members["scope"] = access.scope.text
    members["token_type"] = token_type(access.confirmation)
    # RFC 9396 section 7: as they were granted.
    if access.details:
        members["authorization_details"] = access.authorization_details
    if tokens.members:
        members.update(tokens.members)
    return members
