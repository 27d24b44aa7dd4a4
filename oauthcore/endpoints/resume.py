"""The resume path: the browser returns from the application's pages, and the request continues."""

from __future__ import annotations

import attrs

from oauthcore.authorization.approve import Approval, approve
from oauthcore.authorization.browser import browser_of, is_same_browser, resume_proof
from oauthcore.authorization.checks import prove_redirect, validate
from oauthcore.authorization.consent import find_consents, take_back
from oauthcore.authorization.deliver import Undelivered, delivered, front_channel_person
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.next_step import InteractionProgress, next_step
from oauthcore.authorization.pages import send_to_page
from oauthcore.authorization.pushed import find_pushed, spending
from oauthcore.authorization.response_mode import refuse
from oauthcore.authorization.unstored import find_interaction, is_over
from oauthcore.authorization.untrusted import refuse_unanswered
from oauthcore.authorization.validated import Redirectable, RequestedAccess
from oauthcore.authorization.withdrawal import find_mark, is_withdrawn
from oauthcore.clients.first_use import find_kept
from oauthcore.context import Context
from oauthcore.digest import Secret, same
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import AccessDenied, InteractionOver, OAuthError, OtherBrowser
from oauthcore.find_user import find_permission
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Outcome, Replace, Require
from oauthcore.oidc.session import session_of, still_signed_in
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import Interaction
from oauthcore.records.lifecycle import INTERACTION, InteractionInput, InteractionState, advance
from oauthcore.records.liveness import of_generation
from oauthcore.records.login import Login
from oauthcore.scope import Scope


@attrs.frozen
class Return:
    """Hold what a browser comes back with: `proof` is given out only to the browser in which the answer was given."""

    handle: Secret
    proof: Secret
    browser: Secret | None


@attrs.frozen
class OwnInteraction:
    """Prove that an interaction was started, and answered, in the browser that now comes back."""

    interaction: Interaction


def resume(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Continue an authorization request that a user has answered."""
    parameters = incoming.query()
    back = Return(
        Secret(parameters.need("interaction")), Secret(parameters.need("proof")), browser_of(incoming.request, context)
    )
    interaction = yield from find_interaction(back.handle, context)
    # Before anything else is looked up: who can't prove that the interaction is theirs learns nothing about it.
    own = prove_own(back, interaction, context)
    client = of_generation((yield from find(Client, own.interaction.client_id)), own.interaction.client_generation)
    session = yield from session_of(own.interaction.login)
    consents: tuple[Consent, ...] = ()
    mark = kept = None
    if own.interaction.login is not None:
        consents = yield from find_consents(own.interaction.login.subject, own.interaction.request, client, context)
        if own.interaction.withdrawal_mark is not None:
            mark = yield from find_mark(own.interaction.login.subject, context)
        kept = yield from find_kept(own.interaction.login.subject, client, context)
    person = yield from front_channel_person(own.interaction.request, client, own.interaction.login, context)
    login = still_signed_in(own.interaction.login, session, context.now)
    permission = yield from find_permission(None if login is None else login.subject, client, context.user_policy)
    pushed = yield from find_pushed(own.interaction.request)
    facts = AuthorizationFacts(client, login, session, consents, mark, person, kept, permission, pushed)
    return (yield from delivered(decide(back, own, facts, context), context))


def prove_own(back: Return, interaction: Interaction | None, context: Context) -> OwnInteraction:
    """Check that the interaction lives, and that one and the same browser started it and answered it.

    The cookie alone would not do: an attacker who started the request could get another person to answer it, and then
    come back themselves. The proof alone would not either: that person's browser could be sent back instead.
    """
    if interaction is None or is_over(interaction, context.now):
        raise InteractionOver("the interaction is unknown or has expired")
    # RFC 9700 section 4.7 (cross-site request forgery) and session fixation: the link alone must not be enough.
    if not is_same_browser(back.browser, interaction.browser, context):
        raise OtherBrowser("the interaction was started in another browser")
    # In constant time: the proof is a secret, and a guess must not learn how many characters were right.
    if not same(back.proof.reveal(), resume_proof(back.handle, interaction, context).reveal()):
        raise OtherBrowser("the interaction was not answered in this browser")
    return OwnInteraction(interaction)


def decide(back: Return, own: OwnInteraction, facts: AuthorizationFacts, context: Context) -> Undelivered:
    """Walk the machine again on fresh facts, with what the person answered."""
    interaction = own.interaction
    completed = advance(INTERACTION, interaction.state, InteractionInput.RESUME)
    # A code has been issued for this interaction before: a reloaded page or a shared link must not issue another.
    if completed is None:
        raise InteractionOver(f"the interaction is {interaction.state.value}, there is nothing to resume")
    # RFC 9126 section 7.3: of all interactions that one request_uri has started, one is answered.
    spent = spending(interaction.request, facts.pushed, context)
    # The redirect URI once more: it may have been unregistered while the user was at the pages.
    redirectable = prove_redirect(interaction.request, facts.client, "resume", context)
    done = Replace(interaction, attrs.evolve(interaction, state=completed))
    try:
        # RFC 6749 section 4.1.2.1: access_denied is reported to the client.
        if interaction.state is InteractionState.DENIED:
            if not facts.permission.is_given:
                raise AccessDenied.with_description("the user may not use this client")
            raise AccessDenied("the person said no")
        return answer_finished(back, redirectable, done, facts, context)
    except OAuthError as error:
        event = Event("consent_denied", interaction.client_id)
        # The interaction is over either way: the same answer must not be tried again with the same handle.
        if not isinstance(error, AccessDenied):
            # RFC 9700 section 4.11.2: a user who has signed in and was shown no consent page has not seen where they
            # would be sent to. The page leaves the interaction as it is.
            if interaction.scope is None:
                _ = refuse_unanswered(redirectable, error, facts, context)
            return Decision(refuse(redirectable, error, context), (done, *spent))
        taken_back = denied(redirectable, interaction.scope or Scope(), facts.consents, context)
        return Decision(refuse(redirectable, error, context), (done, *spent, *taken_back), (event,))


def is_requested(detail: str, access: RequestedAccess, context: Context) -> bool:
    """Return whether a detail that was allowed is no more than one that the request asks for, as it counts now."""
    types = context.authorization_details
    return types is not None and types.is_within(detail, access.details)


def denied(
    redirectable: Redirectable, allowed: Scope, consents: tuple[Consent, ...], context: Context
) -> tuple[Change, ...]:
    """Delete the consent to what was requested and not allowed, so that the user is asked again."""
    try:
        access = validate(redirectable, "resume", context).access
    except OAuthError:  # the request has become invalid, so it is unknown what was refused
        return tuple(map(Delete, consents))
    return take_back(access, allowed, (), consents, context)


def answer_finished(
    back: Return, redirectable: Redirectable, done: Replace[Interaction], facts: AuthorizationFacts, context: Context
) -> Undelivered:
    """Answer the client; or ask again, where consent that was relied on, or the login session, has ended meanwhile."""
    validated, interaction = validate(redirectable, "resume", context), done.old
    withdrawn = is_withdrawn(interaction, facts.mark)
    consented = interaction.scope is not None and not withdrawn
    progress = InteractionProgress.in_(interaction, chosen=True, consent=consented)
    # If the user withdrew consent after they had given it here, they are asked again, even if an older consent would
    # do.
    needed = next_step(validated, attrs.evolve(facts, consents=()) if withdrawn else facts, progress, context)
    if isinstance(needed, Login):
        # What was allowed may have been taken out of the client's registration since.
        requested = validated.access.scope
        scope = requested if interaction.scope is None else context.policy.implies.within(interaction.scope, requested)
        # Details are allowed in the interaction itself, and those of a type that was unregistered since are left out.
        details = tuple(text for text in interaction.details if is_requested(text, validated.access, context))
        approval = Approval(needed, scope, progress.consent, interaction.remember, details)
        outcome = approve(validated, approval, facts, context)
        marked = () if facts.mark is None else (Require(facts.mark),)
        spent = spending(redirectable.request, facts.pushed, context)
        return attrs.evolve(outcome, changes=(done, *spent, *marked, *outcome.changes))
    # OIDC Core section 3.1.2.4: no release without consent that holds now. The page is shown once more.
    pending = INTERACTION[interaction.state, InteractionInput.ASK_AGAIN]
    waiting = attrs.evolve(
        interaction, state=pending, login=facts.login, scope=None, details=(), resume_before=None, withdrawal_mark=None
    )
    return Decision(send_to_page(needed, back.handle, context), (Replace(interaction, waiting),))
