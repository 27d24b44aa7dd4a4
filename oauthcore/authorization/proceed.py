"""Proceed: one step of the machine, the same wherever it is entered from.

A judged request and what is known of the person either end in an answer to the client, or in a page that asks for
what is still needed.
"""

from __future__ import annotations

from typing import Literal, assert_never

import attrs

from oauthcore.authorization.browser import resume_proof
from oauthcore.authorization.checks import ValidatedRequest, relies_on_nonce
from oauthcore.authorization.consent import remember, take_back
from oauthcore.authorization.deliver import Undelivered, deliver
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.need import Need
from oauthcore.authorization.response_mode import answer
from oauthcore.authorization.response_type import Approved
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import (
    AccessDenied,
    AccountSelectionRequired,
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    OAuthError,
)
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Replace, Require
from oauthcore.grants.issuance import new_grant
from oauthcore.oidc.person import allowed_claims
from oauthcore.oidc.session import authorized
from oauthcore.per_request import per_request
from oauthcore.records.grant import Consent, Grant
from oauthcore.records.interaction import Interaction
from oauthcore.records.login import Login, LoginSession
from oauthcore.redirect_uri import form_encoded
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.http import Headers, Response, see_other


@per_request
class Approval:
    """Hold what the person agreed to. `asked`: they were asked just now; `remember`: they need not be asked again."""

    login: Login
    scope: Scope
    asked: bool
    remember: bool = False


def approve(judged: ValidatedRequest, approval: Approval, facts: AuthorizationFacts, context: Context) -> Undelivered:
    """Issue what was asked for, on a new grant, and send it to the client."""
    client, session = judged.asked.client, facts.session
    changes: list[Change] = [Require(client), *consent_changes(judged, approval, facts.consent, context)]
    events = [Event("consent_given", client.client_id, approval.login.subject)] if approval.asked else []
    if judged.response_type.issues_id_token and "openid" not in approval.scope:
        raise AccessDenied("the person allowed no ID token, and one was asked for")
    if "openid" not in approval.scope and relies_on_nonce(judged, context):
        # Else a code would leave that nothing binds to the browser: its tokens would come without the nonce.
        raise AccessDenied("the person allowed no ID token, and its nonce stood in for a code_challenge")
    if judged.response_type.is_none:
        changes += () if session is None else (Require(session),)
        return Decision(answer(judged.asked, judged.response_mode, {}, context), tuple(changes), tuple(events))
    grant = grant_of(judged, approval, context)
    approved = Approved(client, judged.asked.redirect, judged.code_challenge, judged.asked.request.nonce, grant)
    parts = [issue(approved, context) for issue in judged.response_type.parts]
    changes += session_changes(grant, session)
    changes += [Insert(grant), *(change for part in parts for change in part.changes)]
    name: Literal["code_issued", "token_issued"] = "code_issued" if judged.response_type.issues_code else "token_issued"
    events.append(Event(name, client.client_id, grant.subject, grant.key))
    return Decision(deliver(judged, grant, parts, facts.person, context), tuple(changes), tuple(events))


def grant_of(judged: ValidatedRequest, approval: Approval, context: Context) -> Grant:
    """Make the grant: what was allowed, and how the person who did so was authenticated."""
    client, request = judged.asked.client, judged.asked.request
    asked = None if request.scope is None else parse_scope(request.scope)
    grant = new_grant(client, approval.login.subject, approval.scope, approval.login.auth_time, context, asked)
    if context.openid is None or "openid" not in approval.scope:
        # It ends with the login session, too: who signs out means every application that got something in it.
        return attrs.evolve(grant, sid=approval.login.sid)
    return attrs.evolve(
        grant,
        acr=approval.login.acr,
        amr=approval.login.amr,
        sid=approval.login.sid,
        claims=allowed_claims(client, request.claims, judged.scope, approval.scope, context),
        claims_locales=request.claims_locales,
    )


def session_changes(grant: Grant, session: LoginSession | None) -> tuple[Change, ...]:
    """Demand that the login session lasts; where the grant is bound to it, note it there, so that it ends with it."""
    if session is None:
        return ()
    return (Require(session),) if grant.sid is None else (Replace(session, authorized(session, grant)),)


def consent_changes(
    judged: ValidatedRequest, approval: Approval, consent: Consent | None, context: Context
) -> tuple[Change, ...]:
    """Remember what was answered, or demand that the consent relied on still stands at the moment of the commit."""
    if not approval.asked:
        return () if consent is None else (Require(consent),)
    if approval.remember:
        return (remember(judged, approval.scope, approval.login.subject, consent, context),)
    return take_back(judged, approval.scope, judged.claims_beside_scope, consent, context)


def refusal_without_page(needed: Need) -> OAuthError:
    """Return the error that `prompt=none` gets instead of a page (OIDC Core section 3.1.2.6)."""
    match needed:
        case Need.LOGIN:
            return LoginRequired("prompt=none, and nobody is signed in who would do")
        case Need.CONSENT:
            return ConsentRequired("prompt=none, and the person has not allowed all of this before")
        case Need.SELECT_ACCOUNT:
            return AccountSelectionRequired("prompt=none, and an account would have to be chosen")
        case Need.CREATE:
            return InteractionRequired("prompt=none, and an account would have to be made")
        case _:
            assert_never(needed)


def send_to_page(needed: Need, handle: Secret, context: Context, cookies: Headers = ()) -> Response:
    """Send the browser to the application's page for what is needed."""
    page = context.paths.interaction
    if page is None:
        page = context.base + (context.paths.consent if needed is Need.CONSENT else context.paths.login)
    return see_other(f"{page}?{form_encoded([('interaction', handle.reveal())])}", cookies)


def send_to_resume(handle: Secret, answered: Interaction, context: Context) -> Response:
    """Send the browser that answered to the resume path, with the proof that the answer was given in it."""
    proof = resume_proof(handle, answered, context)
    query = form_encoded([("interaction", handle.reveal()), ("proof", proof.reveal())])
    return see_other(f"{context.base}{context.paths.resume}?{query}")
