"""Approval: what a validated request, to which the person has agreed, is answered with."""

from __future__ import annotations

from typing import Literal

import attrs

from oauthcore.authorization.consent import remember, take_back
from oauthcore.authorization.deliver import Undelivered, deliver, deliver_nothing
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.profiled import reported
from oauthcore.authorization.response_type import Approved
from oauthcore.authorization.validated import RequestedAccess, ValidatedRequest
from oauthcore.clients.first_use import allowed_by
from oauthcore.context import Context
from oauthcore.errors import AccessDenied
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Replace, Require
from oauthcore.grants.issuance import new_grant
from oauthcore.oidc.person import allowed_claims
from oauthcore.oidc.session import authorized
from oauthcore.per_request import per_request
from oauthcore.policy import Allowance
from oauthcore.records.grant import Consent, Grant
from oauthcore.records.login import Login, LoginSession
from oauthcore.scope import Scope, parse_scope


@per_request
class Approval:
    """Hold what the user agreed to.

    `explicit` is true if they were asked just now, `remember` if the consent is to be remembered. `details` are the
    authorization details that they allowed.
    """

    login: Login
    scope: Scope
    explicit: bool
    remember: bool = False
    details: tuple[str, ...] = ()


def approve(
    validated: ValidatedRequest, approval: Approval, facts: AuthorizationFacts, context: Context
) -> Undelivered:
    """Issue what was requested, on a new grant, and send it to the client."""
    access, response, session = validated.access, validated.response, facts.session
    client = access.client
    # A code is used when it is redeemed; whatever else is issued here is used at once.
    is_used = response.type.issues_tokens or response.type.is_none
    used = allowed_by(approval.login.subject, client, facts.kept, context, is_used=is_used)
    changes: list[Change] = [
        *used,
        *facts.permission.changes,
        *consent_changes(access, approval, facts.consents, context),
    ]
    events = [Event("consent_given", client.client_id, approval.login.subject)] if approval.explicit else []
    events += reported(validated, context)
    # Before anything is made: a refusal must not leave a grant behind.
    check_id_token_allowed(validated, approval, context)
    # Multiple Response Type Encoding section 4: `none` returns no code and no token, so there is nothing to hang on a
    # grant.
    if response.type.is_none:
        changes += () if session is None else (Require(session),)
        return Decision(deliver_nothing(response, context), tuple(changes), tuple(events))
    grant = grant_of(access, approval, context)
    redirectable = response.redirectable
    request = redirectable.request
    jkt = None if context.dpop is None else request.dpop_jkt
    approved = Approved(client, redirectable.redirect, response.code_challenge, request.nonce, grant, jkt)
    parts = [issue(approved, context) for issue in response.type.parts]
    # If the user signs out while this is being decided, one of the two commits fails and is decided again: there is
    # never a grant that a logout has missed.
    changes += () if session is None else session_changes(grant, session)
    changes.append(Insert(grant))
    for part in parts:
        changes += part.changes
    name: Literal["code_issued", "token_issued"] = "code_issued" if response.type.issues_code else "token_issued"
    events.append(Event(name, client.client_id, grant.subject, grant.key))
    return Decision(deliver(response, grant, parts, facts.person, context), tuple(changes), tuple(events))


def check_id_token_allowed(validated: ValidatedRequest, approval: Approval, context: Context) -> None:
    """Refuse a request that hangs on an ID token, where the person has not allowed one."""
    if "openid" in approval.scope:
        return
    if validated.response.type.issues_id_token:
        raise AccessDenied("the person allowed no ID token, and one was asked for")
    if relies_on_nonce(validated, context):
        # Else a code would leave that nothing binds to the browser: its tokens would come without the nonce.
        raise AccessDenied("the person allowed no ID token, and its nonce stood in for a code_challenge")


def relies_on_nonce(validated: ValidatedRequest, context: Context) -> bool:
    """Return whether nothing but the nonce binds the code (OAuth 2.1 section 7.5.1)."""
    response = validated.response
    unchallenged = response.type.issues_code and response.code_challenge is None
    return unchallenged and not context.allows(Allowance.CONFIDENTIAL_WITHOUT_PKCE, validated.access.client)


def grant_of(access: RequestedAccess, approval: Approval, context: Context) -> Grant:
    """Make the grant: what was allowed, and how the person who did so was authenticated."""
    client, request, login = access.client, access.request, approval.login
    requested = None if request.scope is None else parse_scope(request.scope)
    grant = new_grant(client, login.subject, approval.scope, login.auth_time, context, requested, access.resources)
    if login.acr is not None or login.amr or login.sid is not None:
        # Without OpenID Connect, too: a resource looks at `acr` and `amr` (RFC 9470 section 6), and the grant ends with
        # the login session, since who signs out means every application that got something in it.
        grant = attrs.evolve(grant, acr=login.acr, amr=login.amr, sid=login.sid)
    if approval.details:
        grant = attrs.evolve(grant, details=approval.details)
    if context.openid is None or "openid" not in approval.scope:
        return grant
    return attrs.evolve(
        grant,
        claims=allowed_claims(client, request.claims, access.scope, approval.scope, context),
        claims_locales=request.claims_locales,
    )


def session_changes(grant: Grant, session: LoginSession) -> tuple[Change, ...]:
    """Demand that the login session lasts; where the grant is bound to it, note it there, so that it ends with it."""
    return (Require(session),) if grant.sid is None else (Replace(session, authorized(session, grant)),)


def consent_changes(
    access: RequestedAccess, approval: Approval, consents: tuple[Consent, ...], context: Context
) -> tuple[Change, ...]:
    """Remember the consent, or require that the consents relied on are unchanged at the moment of the commit."""
    if not approval.explicit:
        # Consent may be withdrawn between the find and the commit; the grant is created only if it is still there.
        return tuple(map(Require, consents))
    if approval.remember:
        return remember(access, approval.scope, approval.login.subject, consents, context)
    return take_back(access, approval.scope, access.claims_beside_scope, consents, context)
