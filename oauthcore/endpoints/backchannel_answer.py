"""The application's side of a backchannel authentication request: list what waits for a user, allow it, deny it.

This is not an endpoint of a standard (CIBA Core section 8 leaves it open): a host shows it to the user who is signed in
there, on whatever device that is.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from oauthcore.authorization.checks import validate_access
from oauthcore.authorization.next_step import InteractionProgress, must_sign_in
from oauthcore.authorization.validated import RequestedAccess
from oauthcore.ciba import GRANT_TYPE
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import AccessDenied, InteractionOver, InvalidScope, LoginRequired, OAuthError
from oauthcore.find_user import NOT_NEEDED, Permission, find_permission
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Replace, Require
from oauthcore.grants.audience import described
from oauthcore.grants.issuance import new_grant
from oauthcore.oidc.session import session_of, still_signed_in
from oauthcore.records.backchannel import BackchannelPing, BackchannelRequest
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import BACKCHANNEL, BackchannelInput, advance
from oauthcore.records.liveness import is_live_client, of_generation
from oauthcore.records.login import Login, LoginSession
from oauthcore.resources import Resource
from oauthcore.scope import Scope
from oauthcore.wire.text import words


@attrs.frozen(kw_only=True)
class PendingBackchannelRequest:
    """Hold what a page shows a user of a request that waits for them.

    `id` names it for `allow` and `deny`; it is no secret, and nothing can be redeemed with it. `scope` is what the
    client wants, at `resources` (RFC 8707), or at the server itself if there are none. `binding_message` is what the
    client shows on its own device: ask the user to compare the two. `acr_values` are the ways to authenticate that the
    client would like, the best first. The user may answer until `answer_before`, in seconds since the epoch.
    """

    id: str
    client: Client
    scope: Scope
    requested_at: int
    answer_before: int
    binding_message: str | None = None
    resources: tuple[Resource, ...] = ()
    acr_values: tuple[str, ...] = ()


@attrs.frozen
class AnswerFacts:
    """Hold what was found for an answer: the request, its client, and the session of who answers; None if missing."""

    request: BackchannelRequest | None
    client: Client | None
    session: LoginSession | None
    permission: Permission = NOT_NEEDED


def pending_requests(subject: str, context: Context) -> Flow[tuple[PendingBackchannelRequest, ...]]:
    """Find the requests that wait for a user, the oldest first."""
    requests = yield from find_of(BackchannelRequest, subject)
    waiting = sorted(filter_waiting(requests, context.now), key=lambda request: (request.requested_at, request.key))
    found = []
    for request in waiting:
        client = of_generation((yield from find(Client, request.client_id)), request.client_generation)
        one = describe(request, client, context)
        if one is not None:
            found.append(one)
    return tuple(found)


def filter_waiting(requests: Sequence[BackchannelRequest], now: int) -> list[BackchannelRequest]:
    """Return the requests that can still be answered."""
    return [
        request
        for request in requests
        if now < request.answer_before and advance(BACKCHANNEL, request.state, BackchannelInput.ALLOW) is not None
    ]


def describe(request: BackchannelRequest, client: Client | None, context: Context) -> PendingBackchannelRequest | None:
    """Describe a request, None if it can't be allowed any more: its client has changed, or is gone."""
    try:
        access = checked_access(request, client, context)
    except OAuthError:
        return None
    return PendingBackchannelRequest(
        id=request.key,
        client=access.client,
        scope=access.scope,
        requested_at=request.requested_at,
        answer_before=request.answer_before,
        binding_message=request.binding_message,
        resources=tuple(described(access.resources, access.client, context)),
        acr_values=words(access.request.acr_values),
    )


def checked_access(request: BackchannelRequest, client: Client | None, context: Context) -> RequestedAccess:
    """Check what a request asks for, by what is registered now; raises an `OAuthError`."""
    if client is None or not is_live_client(client, context.now, context.admits):
        raise InteractionOver("the client of the request is gone, or disabled")
    return validate_access(request.request, client, "backchannel_authentication", context)


def allow(request_id: str, login: Login, scope: Scope | None, context: Context) -> Flow[Decision[Grant]]:
    """Allow a request, for the user who is signed in."""
    facts = yield from answer_facts(request_id, login)
    permission = yield from find_permission(login.subject, facts.client, context.user_policy)
    facts = attrs.evolve(facts, permission=permission)
    return decide_allow(facts, login, scope, context)


def deny(request_id: str, login: Login, context: Context) -> Flow[Decision[BackchannelRequest]]:
    """Deny a request, for the user who is signed in."""
    facts = yield from answer_facts(request_id, login)
    return decide_deny(facts, login, context)


def answer_facts(request_id: str, login: Login) -> Flow[AnswerFacts]:
    """Find what an answer depends on."""
    request = yield from find(BackchannelRequest, request_id)
    client = None
    if request is not None:
        client = of_generation((yield from find(Client, request.client_id)), request.client_generation)
    return AnswerFacts(request, client, (yield from session_of(login)))


def decide_allow(facts: AnswerFacts, login: Login, scope: Scope | None, context: Context) -> Decision[Grant]:
    """Make the grant, on which the client gets its tokens when it asks next, and have it told that it may."""
    request = own_request(facts, login, context)
    allowed = advance(BACKCHANNEL, request.state, BackchannelInput.ALLOW)
    if allowed is None:
        raise InteractionOver(f"the request is {request.state.value} already")
    access = checked_access(request, facts.client, context)
    client = access.client
    if not facts.permission.is_given:
        raise AccessDenied.with_description("the user may not use this client")
    # The client's default_max_age, say: a login that is too old allows nothing (OIDC Core section 3.1.2.1).
    if must_sign_in(access, login, InteractionProgress(since=request.requested_at), context):
        raise LoginRequired("the request wants a newer login than this one")
    granted = access.scope if scope is None else scope
    # What was not asked for is not on the page, so the user can't have allowed it. Without openid there is no ID token,
    # which is what this request is about.
    if not set(granted) <= set(access.scope) or "openid" not in granted:
        raise InvalidScope("more was allowed than was requested, or no openid")
    grant = new_grant(client, login.subject, granted, login.auth_time, context, access.scope, access.resources)
    # It is for another device than the one that the user is signed in at. So it has no `sid`: who signs out here does
    # not mean the device there. It lasts until the client comes for its tokens, at least.
    expires_at = max(grant.expires_at, request.expires_at)
    # By its grant type the account page lists it by itself: who ends what one till was given ends no other's.
    grant = attrs.evolve(grant, acr=login.acr, amr=login.amr, expires_at=expires_at, grant_type=GRANT_TYPE)
    answered = attrs.evolve(request, state=allowed, grant=grant.key)
    events = (Event("consent_given", client.client_id, grant.subject, grant.key),)
    changes = (
        *(Require(client), *facts.permission.changes, *session_required(facts)),
        *(Insert(grant), Replace(request, answered)),
    )
    return Decision(grant, (*changes, *notified(request, context)), events)


def decide_deny(facts: AnswerFacts, login: Login, context: Context) -> Decision[BackchannelRequest]:
    """Deny the request, and have its client told that there is an answer."""
    request = own_request(facts, login, context)
    denied = advance(BACKCHANNEL, request.state, BackchannelInput.DENY)
    if denied is None:
        raise InteractionOver(f"the request is {request.state.value} already")
    answered = attrs.evolve(request, state=denied)
    event = Event("backchannel_denied", request.client_id, request.subject)
    changes = (*session_required(facts), Replace(request, answered), *notified(request, context))
    return Decision(answered, changes, (event,))


def own_request(facts: AnswerFacts, login: Login, context: Context) -> BackchannelRequest:
    """Return the request, if it waits for the user who is signed in; raises `InteractionOver`."""
    request = facts.request
    # A request to another user is refused like one that does not exist, so that no user learns what others are asked.
    if request is None or request.subject != login.subject or context.now >= request.answer_before:
        raise InteractionOver("there is no such request for this user, or its time is over")
    if still_signed_in(login, facts.session, context.now) is None:
        raise InteractionOver("the login session of the user has ended")
    return request


def session_required(facts: AnswerFacts) -> tuple[Change, ...]:
    """Require that the session lasts in which the answer is given: a logout at the same moment comes first or later."""
    return () if facts.session is None else (Require(facts.session),)


def notified(request: BackchannelRequest, context: Context) -> tuple[Change, ...]:
    """Queue the notification of a client in ping mode (CIBA Core section 10.2), in the commit of the answer."""
    if request.notification is None:
        return ()
    ping = BackchannelPing(
        key=ping_key(request, context),
        client_id=request.client_id,
        notification=request.notification,
        next_try_at=context.now,
        expires_at=request.expires_at,
        client_generation=request.client_generation,
    )
    return (Insert(ping),)


def ping_key(request: BackchannelRequest, context: Context) -> Digest:
    """Return the key of a request's notification: there is one, as there is one answer."""
    return context.digest("auth_req_id", Secret(request.key))
