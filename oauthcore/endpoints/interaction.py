"""The application's side of an interaction: find it, finish it, deny it.

It works with any application and session: the application's page gets the interaction's handle in its URL, and what is
returned here is a response for the user's browser.
"""

from __future__ import annotations

import attrs

from oauthcore.authorization.checks import prove_redirect, validate
from oauthcore.authorization.consent import find_consents
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.next_step import InteractionProgress, Need, is_allowed_at, next_step
from oauthcore.authorization.pages import send_to_page, send_to_resume
from oauthcore.authorization.pushed import find_pushed, is_spent
from oauthcore.authorization.unstored import find_interaction, is_over, moved
from oauthcore.authorization.validated import RequestedAccess, ValidatedRequest
from oauthcore.authorization.withdrawal import find_mark, note_mark
from oauthcore.authorization_details import RequestedDetail
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import (
    AnsweredByAnother,
    InteractionOver,
    InvalidRequest,
    OAuthError,
    UnmetAuthenticationRequirements,
)
from oauthcore.find_user import find_permission
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Outcome
from oauthcore.grants.audience import described
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import Interaction
from oauthcore.records.lifecycle import INTERACTION, InteractionInput, InteractionState, advance
from oauthcore.records.liveness import of_generation
from oauthcore.records.login import Login
from oauthcore.resources import Resource
from oauthcore.scope import Scope
from oauthcore.wire.text import words

# The states in which it can still be answered.
WAITING = frozenset({InteractionState.UNSTORED, InteractionState.PENDING})


@attrs.frozen
class PendingInteraction:
    """Hold what the application's page needs to know about an interaction.

    `redirect_uri` is where the response will go: a consent page should show its host. `scope` is the requested scope,
    `claims` are the claims requested in addition (OIDC Core section 5.5), `resources` the APIs for which they are
    requested (RFC 8707), empty for the server itself; for those in `allowed_at`, all of it was allowed before. `need`
    is what the user has to be asked; if it is None, reporting the login is enough. `login` is who was reported as
    signed in, if anybody. `details` are the authorization details that are requested (RFC 9396), each with what to tell
    the user; what they allow of them has to be reported.

    The rest are the client's wishes for the page (OIDC Core section 3.1.2.1): how to display it, in which languages
    (the best first), a hint at the login name (to fill in a form; it is not verified), and how to authenticate (the
    best first); a `Login` whose `acr` is not one of the `acr_values` may be refused.
    """

    client: Client
    redirect_uri: str
    scope: Scope
    need: Need | None
    login: Login | None
    claims: tuple[str, ...] = ()
    display: str = "page"
    ui_locales: tuple[str, ...] = ()
    login_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()
    allowed_at: tuple[Resource, ...] = ()
    details: tuple[RequestedDetail, ...] = ()


@attrs.frozen
class Answer:
    """Hold what the application reports: who is signed in, and what they allowed, if they were asked.

    A subject without a time is the login at the time of the request, if it is the same; otherwise a login just now.
    """

    handle: Secret
    login: Login | str
    scope: Scope | None
    remember: bool
    details: tuple[str, ...] | None = None

    @property
    def subject(self) -> str:
        """Return who it is."""
        return self.login if isinstance(self.login, str) else self.login.subject

    def login_in(self, waiting: Interaction, now: int) -> Login:
        """Return who is signed in and since when; giving consent does not count as a new login."""
        if isinstance(self.login, Login):
            return self.login
        if waiting.login is not None and waiting.login.subject == self.login:
            return waiting.login
        return Login(subject=self.login, auth_time=now)


def describe_interaction(handle: Secret, login: Login | None, context: Context) -> Flow[PendingInteraction | None]:
    """Find out what an interaction waits for, or None if it waits for nothing any more."""
    interaction = yield from find_interaction(handle, context)
    if interaction is None or is_spent((yield from find_pushed(interaction.request))):
        return None
    client = of_generation((yield from find(Client, interaction.client_id)), interaction.client_generation)
    known = login or interaction.login
    consents: tuple[Consent, ...] = ()
    if known is not None:
        consents = yield from find_consents(known.subject, interaction.request, client, context)
    permission = yield from find_permission(None if known is None else known.subject, client, context.user_policy)
    facts = AuthorizationFacts(client, known, consents=consents, permission=permission)
    return describe(interaction, facts, context)


def describe(interaction: Interaction, facts: AuthorizationFacts, context: Context) -> PendingInteraction | None:
    """Describe a pending interaction; returns None if it can't be continued."""
    if interaction.state not in WAITING or is_over(interaction, context.now):
        return None
    try:
        validated = validate_stored(interaction, facts, context)
        progress = InteractionProgress.in_(interaction, chosen=interaction.chosen)
        needed = still_needed(validated, facts, progress, context)
    except OAuthError:
        return None
    request, access = interaction.request, validated.access
    allowed_at = [uri for uri in access.resources if is_allowed_at(uri, access, facts.consents, context)]
    return PendingInteraction(
        client=access.client,
        redirect_uri=validated.response.redirectable.redirect.uri,
        scope=access.scope,
        need=None if isinstance(needed, Login) else needed,
        login=interaction.login,
        claims=access.claims_beside_scope,
        display=request.display or "page",
        ui_locales=words(request.ui_locales),
        login_hint=request.login_hint,
        acr_values=access.essential_acr or wished_acr(access),
        resources=tuple(described(access.resources, access.client, context)),
        allowed_at=tuple(described(allowed_at, access.client, context)),
        details=described_details(access, context),
    )


def described_details(access: RequestedAccess, context: Context) -> tuple[RequestedDetail, ...]:
    """Return the requested authorization details with what the user is told of each."""
    types = context.authorization_details
    return () if types is None else types.described(access.details)


def validate_stored(interaction: Interaction, facts: AuthorizationFacts, context: Context) -> ValidatedRequest:
    """Check the request of an interaction once more, by what is stored now; raises an `OAuthError`."""
    redirectable = prove_redirect(interaction.request, facts.client, "interaction", context)
    return validate(redirectable, "interaction", context)


def still_needed(
    validated: ValidatedRequest, facts: AuthorizationFacts, progress: InteractionProgress, context: Context
) -> Need | Login:
    """Return the next step; if the login lacks an essential `acr`, there is none, and the client gets an error.

    The error is sent by the resume path, which runs all steps again.
    """
    try:
        return next_step(validated, facts, progress, context)
    except UnmetAuthenticationRequirements:
        assert facts.login is not None
        return facts.login


def wished_acr(access: RequestedAccess) -> tuple[str, ...]:
    """Return the authentication contexts that would be nice to have, the best first (OIDC Core section 3.1.2.1)."""
    named = access.claims.id_token.get("acr")
    values = () if named is None else tuple(value for value in named.values if isinstance(value, str))
    return values or words(access.request.acr_values) or access.client.default_acr_values


def finish(answer: Answer, context: Context) -> Flow[Outcome]:
    """Report who is signed in, and what they allowed."""
    interaction = yield from find_interaction(answer.handle, context)
    client = mark = None
    consents: tuple[Consent, ...] = ()
    if interaction is not None:
        client = of_generation((yield from find(Client, interaction.client_id)), interaction.client_generation)
        consents = yield from find_consents(answer.subject, interaction.request, client, context)
        # Consent given here counts only while the withdrawal mark is the one found now.
        if answer.scope is not None:
            mark = yield from find_mark(answer.subject, context)
    permission = yield from find_permission(answer.subject, client, context.user_policy)
    facts = AuthorizationFacts(client, consents=consents, mark=mark, permission=permission)
    return decide_finish(answer, interaction, facts, context)


def decide_finish(
    answer: Answer, interaction: Interaction | None, facts: AuthorizationFacts, context: Context
) -> Outcome:
    """Send the browser on: to the next page where more is needed, else to the resume path."""
    waiting = still_answerable(interaction, InteractionInput.FINISH, context)
    validated = validate_stored(waiting, facts, context)
    # Forms are submitted twice. The second answer must be the same as the first, not an error page that hides a
    # success.
    if waiting.state is InteractionState.FINISHED:
        return repeat_finish(answer, waiting, context)
    access = validated.access
    scope = consented_scope(answer, access.scope, waiting, context)
    login = answer.login_in(waiting, context.now)
    progress = InteractionProgress.in_(waiting, chosen=True, consent=scope is not None)
    needed = still_needed(validated, attrs.evolve(facts, login=login), progress, context)
    if isinstance(needed, Need):
        logged_in = INTERACTION[waiting.state, InteractionInput.LOGIN]
        known = None if needed is Need.LOGIN else login
        changed = moved(waiting, attrs.evolve(waiting, state=logged_in, login=known, chosen=True))
        return Decision(send_to_page(needed, answer.handle, context), (changed,))
    if scope is not None and not scope and access.scope:
        # Nothing was ticked: that is a no.
        return decide_deny(answer.handle, login, waiting, context)
    finished = attrs.evolve(
        waiting,
        state=INTERACTION[waiting.state, InteractionInput.FINISH],
        # Like a code, it stands for what was allowed, and should be short-lived (RFC 6749 section 4.1.2).
        resume_before=min(waiting.expires_at, context.code_expires_at(access.client)),
        login=needed,
        scope=scope,
        details=() if scope is None else consented_details(answer, access, context),
        remember=answer.remember,
    )
    noted: tuple[Change, ...] = ()
    if scope is not None:
        finished, marking = note_mark(finished, facts.mark, context)
        noted = (marking,)
    return Decision(send_to_resume(answer.handle, finished, context), (moved(waiting, finished), *noted))


def consented_scope(answer: Answer, requested: Scope, waiting: Interaction, context: Context) -> Scope | None:
    """Return what the user allowed of the requested scope, in that order, with what that implies.

    They may also allow only something that the requested scope implies. Consent that was shown to another user than the
    one who is signed in now doesn't count.
    """
    # The subject is compared: a consent page that one user left open must not count for the next at this browser.
    if answer.scope is None or (waiting.login is not None and waiting.login.subject != answer.subject):
        return None
    # RFC 6749 section 3.3: the server may issue less than was requested; the page must not invent more.
    implies = context.policy.implies
    if not implies.covers(requested, answer.scope):
        raise InvalidRequest("the application reports consent to more than was asked for")
    # In the order of the request, since clients compare the text of the scope.
    return implies.within(requested, answer.scope)


def consented_details(answer: Answer, access: RequestedAccess, context: Context) -> tuple[str, ...]:
    """Return the authorization details that the user allowed: each no more than one that was requested.

    An application that does not report them has a page that does not show them: nothing may be allowed by it.
    """
    if not access.details:
        return ()
    types = context.authorization_details
    if answer.details is None or types is None:
        raise InvalidRequest("the application reports consent without the authorization details that were requested")
    for detail in answer.details:
        if not types.is_within(detail, access.details):
            raise InvalidRequest("the application reports an authorization detail that was not asked for")
    return answer.details


def repeat_finish(answer: Answer, finished: Interaction, context: Context) -> Outcome:
    """Answer a double click as the first click was answered, if it is the same person's."""
    # A second answer reveals nothing about who gave the first.
    if finished.login is None or finished.login.subject != answer.subject:
        raise AnsweredByAnother("the interaction was finished by somebody else")
    return Decision(send_to_resume(answer.handle, finished, context))


def deny(handle: Secret, login: Login | str | None, context: Context) -> Flow[Outcome]:
    """Report that the person said no, and who they are where that is known."""
    interaction = yield from find_interaction(handle, context)
    return decide_deny(handle, login, interaction, context)


def decide_deny(
    handle: Secret, login: Login | str | None, interaction: Interaction | None, context: Context
) -> Outcome:
    """Redirect the browser to the resume path, which reports the error to the client and deletes the user's consent.

    Only consent of the user who denied is deleted. The user who was signed in at the request may be another one, whose
    consent the denial must not delete.
    """
    waiting = still_answerable(interaction, InteractionInput.DENY, context)
    # A double click: the second answer is the same as the first.
    if waiting.state is InteractionState.DENIED:
        return Decision(send_to_resume(handle, waiting, context))
    who = Login(subject=login, auth_time=context.now) if isinstance(login, str) else login
    denied = attrs.evolve(waiting, state=INTERACTION[waiting.state, InteractionInput.DENY], login=who)
    return Decision(send_to_resume(handle, denied, context), (moved(waiting, denied),))


def still_answerable(interaction: Interaction | None, event: InteractionInput, context: Context) -> Interaction:
    """Check that the interaction exists and can still be answered in this way."""
    if interaction is None or is_over(interaction, context.now):
        raise InteractionOver("the interaction is unknown or has expired")
    # The lifecycle table decides which answers a state takes; an absent pair is a refusal.
    if advance(INTERACTION, interaction.state, event) is None:
        raise InteractionOver(f"the interaction is {interaction.state.value} already")
    return interaction
