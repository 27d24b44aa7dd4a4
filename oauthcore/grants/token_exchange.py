"""The token exchange grant: a token for a token (RFC 8693).

What is issued is on the grant of the subject token: it ends when the user withdraws that, when its client or the one
that exchanged is disabled, and by itself when the subject token would. It has no more scope, unless the policy adds
some by name. Nothing of the subject token is used up: a refresh token is not rotated.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.assertions.trusted_issuer import TrustedIssuer
from oauthcore.context import Context
from oauthcore.digest import Digest
from oauthcore.errors import InvalidRequest, InvalidScope, InvalidTarget
from oauthcore.find_user import NOT_NEEDED, Permission, find_permission
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Outcome, Require
from oauthcore.grants.audience import MAX_RESOURCES, understood_scope
from oauthcore.grants.granted_details import check_no_details
from oauthcore.grants.id_jag import EMAIL_CLAIMS, ID_JAG, UnsignedIdJag, id_jag, id_jag_response
from oauthcore.grants.issuance import Tokens, answered, issue_access, new_grant
from oauthcore.grants.subject_token import (
    ACTOR_TOKEN_TYPES,
    SUBJECT_TOKEN_TYPES,
    FoundToken,
    PresentedToken,
    find_presented,
    prove_live,
    read_presented,
    subject_token_type,
)
from oauthcore.grants.terms import TokenTerms, usual_terms
from oauthcore.grants.token_request import TokenRequest
from oauthcore.oidc.subject import actor_for
from oauthcore.per_request import per_request
from oauthcore.records.actor import MAX_ACTORS, Actor
from oauthcore.records.client import Client
from oauthcore.records.client_subject import client_subject
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import registered_scope
from oauthcore.records.token import AccessToken
from oauthcore.resource_uri import comparable
from oauthcore.scope import Scope, resolve_scope
from oauthcore.token_exchange import (
    TOKEN_TYPE,
    AllowedExchange,
    AllowedIdJag,
    ExchangeAllowance,
    ExchangeRequest,
    RequestedTokenType,
    VerifiedToken,
    unacceptable_subject,
)
from oauthcore.wire.http import Response

_REQUESTED: Mapping[str, RequestedTokenType] = {
    TOKEN_TYPE + "access_token": "access_token",
    TOKEN_TYPE + "jwt": "jwt",
    TOKEN_TYPE + ID_JAG: "id-jag",
}
# No refresh token is issued, so nothing would be offline.
_NO_REFRESH = Scope(("offline_access",))


@per_request
class Exchange:
    """Hold what a client sends to exchange a token (RFC 8693 section 2.1)."""

    subject: PresentedToken
    actor: PresentedToken | None
    requested_token_type: RequestedTokenType
    audiences: tuple[str, ...]
    scope: Scope | None


@per_request
class ExchangeFacts:
    """Hold what was found for the tokens of an exchange, and whether their user may use the client that exchanges."""

    subject: FoundToken
    actor: FoundToken | None = None
    permission: Permission = NOT_NEEDED


@attrs.frozen
class ExchangeTokens:
    """Exchange tokens of this server, and of these issuers, by their names."""

    issuers: Mapping[str, TrustedIssuer]

    def __call__(self, request: TokenRequest, context: Context) -> Flow[Outcome]:
        """Exchange a token."""
        exchange = read_exchange(request)
        check_possible(exchange, request.client, self.issuers, context)
        names = EMAIL_CLAIMS if exchange.requested_token_type == "id-jag" and context.openid is not None else ()
        actor = None
        if exchange.actor is not None:
            actor = yield from find_presented(exchange.actor, request.client, (), context)
        subject = yield from find_presented(exchange.subject, request.client, names, context, self.issuers)
        # A user who may not use the client that exchanges is not to be found in its tokens either.
        grant = subject.to.grant
        user = None if grant is None or grant.client_id == request.client.client_id else grant.subject
        permission = yield from find_permission(user, request.client, context.user_policy)
        decision = decide(exchange, request, ExchangeFacts(subject, actor, permission), context)
        value = decision.value
        if isinstance(value, UnsignedIdJag):
            return Decision((yield from id_jag_response(value, context)), decision.changes, decision.events)
        answer: Decision[Tokens | Response] = Decision(value, decision.changes, decision.events)
        return (yield from answered(answer, context))


def read_exchange(request: TokenRequest) -> Exchange:
    """Read the parameters; raises `InvalidRequest` and `InvalidScope`."""
    form = request.parameters
    subject = read_presented(
        form.need("subject_token"), form.need("subject_token_type"), "subject", SUBJECT_TOKEN_TYPES
    )
    assert subject is not None
    actor = read_presented(form.get("actor_token"), form.get("actor_token_type"), "actor", ACTOR_TOKEN_TYPES)
    requested = form.get("requested_token_type") or TOKEN_TYPE + "access_token"
    # RFC 8693 section 2.2.1: a refresh token would make of a loan a possession; no other type is issued either.
    if requested not in _REQUESTED:
        raise InvalidRequest.with_description("the server issues no tokens of the requested_token_type")
    audiences = form.all("audience")
    if len(audiences) + len(request.resources) > MAX_RESOURCES:
        raise InvalidTarget.with_description("too many resources are requested for one token")
    # RFC 8707 section 2: an absolute URI, without a fragment. An audience may be any name (RFC 8693 section 2.1).
    if any(comparable(uri) is None for uri in request.resources):
        raise InvalidTarget("a resource is no absolute URI, or has a fragment")
    return Exchange(subject, actor, _REQUESTED[requested], audiences, request.scope)


def decide(
    exchange: Exchange, request: TokenRequest, facts: ExchangeFacts, context: Context
) -> Decision[Tokens | UnsignedIdJag]:
    """Verify the tokens, ask the policy, and issue what it allows."""
    client, settings = request.client, context.token_exchange
    assert settings is not None
    # First, since its errors depend on the client alone, and reveal nothing about the tokens.
    check_no_details(request, context)
    # First: its error depends on nothing but what is the client's own.
    actor = None if facts.actor is None else prove_actor(prove_live(facts.actor, context), client)
    subject = prove_live(facts.subject, context)
    # RFC 6749 section 6: a refresh token is bound to its client, whatever a policy says.
    if subject.type == "refresh_token" and subject.client_id != client.client_id:
        raise unacceptable_subject("the refresh token is another client's")
    if not facts.permission.is_given:
        raise unacceptable_subject("its user may not use the client")
    described = ExchangeRequest(
        client=client,
        subject=subject,
        requested_token_type=exchange.requested_token_type,
        actor=actor,
        resources=request.resources,
        audiences=exchange.audiences,
        scope=exchange.scope,
    )
    allowed = settings.allowed(described)
    # Rules were checked before the tokens were found (`TokenExchange.check_possible`); a function could not be.
    if client.is_public and ExchangeAllowance.PUBLIC_CLIENT not in allowed.allow:
        raise unacceptable_subject("a public client may not exchange it")
    check_parties(described)
    check_binding(subject, request, allowed.allow)
    if isinstance(allowed, AllowedIdJag) != (exchange.requested_token_type == "id-jag"):
        raise InvalidRequest("the policy allows another type of token than is requested")
    name = "id_jag_issued" if isinstance(allowed, AllowedIdJag) else "token_exchanged"
    # All records that this relies on have to be unchanged at the commit: a token that is revoked meanwhile gets none.
    relied_on = required(client, facts)
    if isinstance(allowed, AllowedIdJag):
        assertion = id_jag(described, allowed, facts.subject, request, context)
        grant = facts.subject.to.grant
        return Decision(assertion, relied_on, (Event(name, client.client_id, subject.subject, key_of(grant)),))
    terms = terms_of(described, allowed, facts, request, context)
    grant = grant_of(described, terms, facts, context)
    tokens = issue(described, terms, grant, context)
    inserted: tuple[Change, ...] = (Insert(tokens.access.record),)
    if grant is not None and grant is not facts.subject.to.grant:
        inserted = (Insert(grant), *inserted)
    event = Event(name, client.client_id, subject.subject, key_of(grant))
    return Decision(tokens, (*relied_on, *inserted), (event,))


def key_of(grant: Grant | None) -> Digest | None:
    """Return what a grant is called in events."""
    return None if grant is None else grant.key


def check_possible(exchange: Exchange, client: Client, issuers: Mapping[str, TrustedIssuer], context: Context) -> None:
    """Refuse a client that may exchange nothing of this kind, before any of the tokens is looked for."""
    assert context.token_exchange is not None
    type_ = subject_token_type(exchange.subject, issuers)
    context.token_exchange.check_possible(client, type_, exchange.requested_token_type)


def prove_actor(actor: VerifiedToken, client: Client) -> VerifiedToken:
    """Check that an actor token says who acts here: it is the client's own, and no one else acts with it."""
    # An API that received another client's token could otherwise act as that client from then on.
    if actor.client_id != client.client_id:
        raise InvalidRequest.with_description("the actor_token is invalid", "the actor token is another client's")
    # An actor whose own token is borrowed would leave out of the chain who acts with it.
    if actor.actors or actor.confirmation is not None:
        raise InvalidRequest.with_description(
            "the actor_token is invalid", "the actor token is bound to a key, or somebody else acts with it"
        )
    return actor


def check_parties(exchange: ExchangeRequest) -> None:
    """Check that the actor acts for another, and that a client's own token is exchanged by that client alone."""
    subject, actor = exchange.subject, exchange.actor
    # A client's own token has that client for its subject; there is no grant to hang another client's on.
    if subject.subject is None and subject.client_id != exchange.client.client_id:
        raise unacceptable_subject("it is another client's own token")
    if actor is None:
        return
    if subject.subject is None:
        raise InvalidRequest.with_description("a client's own token is exchanged without an actor")
    # RFC 8693 section 1.1: a subject that acts for itself is neither delegation nor impersonation.
    if actor.subject == subject.subject:
        raise InvalidRequest.with_description("the actor_token is invalid", "the actor token is the subject's own")


def check_binding(subject: VerifiedToken, request: TokenRequest, allow: frozenset[ExchangeAllowance]) -> None:
    """Check that a subject token that is bound to a key came with a proof of that key (RFC 7800, RFC 9449)."""
    # Otherwise a thief could exchange a bound token, which is useless to them, for a bearer token.
    bound = subject.confirmation
    is_open = bound is None or ExchangeAllowance.BOUND_SUBJECT in allow or bound.is_met_by(request.confirmation)
    if not is_open:
        raise InvalidRequest.with_description("the subject_token is bound to a key that was not proven")


def required(client: Client, facts: ExchangeFacts) -> tuple[Change, ...]:
    """Return the records that an exchange relies on, each once."""
    actors = () if facts.actor is None else facts.actor.relied_on
    found = (client, *facts.subject.relied_on, *actors, *facts.permission.records)
    return tuple(Require(record) for record in {(type(one), one.key): one for one in found}.values())


def terms_of(
    exchange: ExchangeRequest, allowed: AllowedExchange, facts: ExchangeFacts, request: TokenRequest, context: Context
) -> TokenTerms:
    """Return the terms of the access token; raises an `OAuthError` for what may not be exchanged."""
    client = exchange.client
    audience = audience_of(allowed, exchange, context)
    scope = scope_of(exchange, allowed, audience, context)
    terms = usual_terms(client, scope, request.proof, context, audience)
    terms = attrs.evolve(
        terms,
        actors=actors_of(exchange, allowed, facts, context),
        actor_grants=actor_grants_of(exchange, facts),
        expires_at=expiry_of(terms, exchange, allowed, context),
    )
    return as_jwt(terms, context) if exchange.requested_token_type == "jwt" else terms


def grant_of(exchange: ExchangeRequest, terms: TokenTerms, facts: ExchangeFacts, context: Context) -> Grant | None:
    """Return the grant that the token is on: the subject token's, or for another issuer's token a new one.

    So a user finds on their account page what was issued for them, and can end it. Nothing is issued on it later.
    """
    subject = exchange.subject
    if subject.type != "jwt" or subject.subject is None:
        return facts.subject.to.grant
    resources = () if context.resources is None else terms.audience
    grant = new_grant(exchange.client, subject.subject, terms.scope, None, context, exchange.scope, resources)
    return attrs.evolve(grant, expires_at=terms.expires_at)


def issue(exchange: ExchangeRequest, terms: TokenTerms, grant: Grant | None, context: Context) -> Tokens:
    """Issue an access token, and never a refresh token: a client that needs one for longer exchanges again."""
    access = issue_access(terms, grant, context.mint(), context)
    issued = "jwt" if exchange.requested_token_type == "jwt" else "access_token"
    # RFC 8693 section 2.2.1: issued_token_type is REQUIRED. A JWT access token is an access token: its token_type is
    # as usual.
    return Tokens(access, members=(("issued_token_type", TOKEN_TYPE + issued),))


def audience_of(allowed: AllowedExchange, exchange: ExchangeRequest, context: Context) -> tuple[str, ...]:
    """Return what the token is for; raises `InvalidTarget` for a resource that is registered for other clients."""
    if not allowed.audience:
        raise InvalidTarget("the policy allows no audience for the exchange")
    resources = context.resources
    if resources is None:
        return allowed.audience
    if any(not resources.admits(uri, exchange.client) for uri in allowed.audience):
        raise InvalidTarget("a resource is registered for other clients than this one")
    found = ((uri, resources.find(uri, exchange.client)) for uri in allowed.audience)
    return tuple(dict.fromkeys(uri if one is None else one.uri for uri, one in found))


def scope_of(exchange: ExchangeRequest, allowed: AllowedExchange, audience: tuple[str, ...], context: Context) -> Scope:
    """Return the scope of the token: within that of the subject token, the policy and the client's registration.

    Raises `InvalidScope` for a scope that is more, and if nothing is left.
    """
    implies = context.policy.implies
    kept = exchange.subject.scope.without(_NO_REFRESH)
    possible = kept if allowed.scope is None else implies.within(kept, allowed.scope)
    possible = registered_scope(possible.union(allowed.extra_scope), exchange.client, context.policy)
    if kept and not possible:
        raise InvalidScope("the client may not exchange any part of the subject token's scope")
    scope = possible
    if exchange.scope is not None:
        scope = implies.within(resolve_scope(exchange.scope, possible, implies(possible)), possible)
    resources = context.resources
    # Scopes are told apart where all of the audience is registered; a name of the policy's takes any.
    known = resources is not None and all(
        uri == context.issuer or resources.find(uri, exchange.client) is not None for uri in audience
    )
    return understood_scope(scope, audience, audience, exchange.client, context) if known else scope


def actors_of(
    exchange: ExchangeRequest, allowed: AllowedExchange, facts: ExchangeFacts, context: Context
) -> tuple[Actor, ...]:
    """Return who acts with the token, the current one first; raises `InvalidRequest` for who may not (section 4.4).

    Those who act with the subject token stay in the chain, whatever the mode: else an exchange would hide them.
    """
    client, subject, actor = exchange.client, exchange.subject, exchange.actor
    if subject.subject is None:
        return ()
    if actor is None or actor.subject is None:
        current = Actor(client_subject(client.client_id))
    else:
        current = Actor(actor.subject)
    if subject.may_act is not None or allowed.require_may_act:
        check_may_act(current, exchange, facts, context)
    if allowed.mode == "impersonation":
        # If an actor token was ignored, its sender would believe that the new token names the actor.
        if actor is not None:
            raise InvalidRequest.with_description("the exchange is allowed without an actor_token only")
        return subject.actors
    actors = subject.actors if subject.actors[:1] == (current,) else (current, *subject.actors)
    if len(actors) > MAX_ACTORS:
        raise InvalidRequest.with_description("the subject_token has too many actors already")
    return actors


def actor_grants_of(exchange: ExchangeRequest, facts: ExchangeFacts) -> tuple[Digest, ...]:
    """Return the grants of the users who act with the token, the current one's first.

    A user who is disabled or revokes what they allowed the client acts no more, also where another acts with them. A
    client that acts is the token's own, or was in the chain before.
    """
    token = facts.subject.token
    before = token.actor_grants if isinstance(token, AccessToken) else ()
    current = None if facts.actor is None or exchange.subject.subject is None else facts.actor.to.grant
    # At most MAX_ACTORS, since each of them is an actor in the chain.
    return before if current is None else tuple(dict.fromkeys((current.key, *before)))


def check_may_act(current: Actor, exchange: ExchangeRequest, facts: ExchangeFacts, context: Context) -> None:
    """Check that the subject token names who acts in its `may_act` (RFC 8693 section 4.4)."""
    named, client_id, subject = exchange.subject.may_act or {}, exchange.client.client_id, current.subject
    # By the name that the issuer has written: this server's tokens name users as their client knows them, and another
    # issuer knows nothing of our clients' sectors.
    if exchange.subject.type != "jwt" and facts.subject.to.client is not None:
        subject = actor_for(facts.subject.to.client, context)(subject)
    # A client is named by the subject of its own tokens, or as `client_id`: a user may be called as a client is.
    is_named = named.get("sub") == subject or ("sub" not in named and named.get("client_id") == client_id)
    # Section 4.4: `sub` alone may not be unique. It is a name of `iss`; without `iss`, of the issuer of the token.
    is_ours = named.get("iss", exchange.subject.issuer) == context.issuer
    if not is_named or not is_ours or named.get("client_id", client_id) != client_id:
        raise InvalidRequest.with_description("the subject_token does not allow this client or actor to act")


def expiry_of(terms: TokenTerms, exchange: ExchangeRequest, allowed: AllowedExchange, context: Context) -> int:
    """Return when the token expires: no later than subject and actor token do, unless the policy allows it."""
    expires_at = terms.expires_at if allowed.lifetime is None else context.now + allowed.lifetime
    if ExchangeAllowance.OUTLIVE_SUBJECT in allowed.allow:
        return expires_at
    expires_at = min(expires_at, exchange.subject.expires_at)
    return expires_at if exchange.actor is None else min(expires_at, exchange.actor.expires_at)


def as_jwt(terms: TokenTerms, context: Context) -> TokenTerms:
    """Return the terms of a token that is requested as a JWT; raises `InvalidRequest` without a key to sign it with."""
    assert context.token_exchange is not None
    alg, own = context.token_exchange.alg, terms.client.id_token_signed_response_alg
    if alg is None:
        raise InvalidRequest.with_description("the server issues no tokens of the requested_token_type")
    usual = own if own in context.token_exchange.algorithms else alg
    return attrs.evolve(terms, format="jwt", signing_alg=terms.signing_alg or usual)
