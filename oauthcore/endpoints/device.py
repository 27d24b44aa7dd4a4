"""The application's side of a device authorization: enter its code, look at it, allow or deny it (RFC 8628 3.3).

The request comes from another device, perhaps of an attacker who has sent the user a link. Nothing but the user can
tell. So consent is always asked for, and never remembered (draft-ietf-oauth-cross-device-security section 6.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from oauthcore.authorization.approve import Approval, grant_of
from oauthcore.authorization.checks import validate_access
from oauthcore.authorization.device_limits import find_wrong_codes
from oauthcore.authorization.next_step import InteractionProgress, Need, must_sign_in
from oauthcore.authorization.tally import Tally
from oauthcore.authorization.validated import RequestedAccess
from oauthcore.clients.first_use import KeptBefore, allowed_by, find_kept
from oauthcore.context import Context
from oauthcore.device_grant import DEVICE_CODE, DeviceGrant
from oauthcore.digest import Digest, Secret
from oauthcore.endpoints.device_authorization import user_code_key
from oauthcore.endpoints.interaction import wished_acr
from oauthcore.errors import (
    AccessDenied,
    AnsweredByAnother,
    InteractionOver,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    UnmetAuthenticationRequirements,
)
from oauthcore.find_user import NOT_NEEDED, Permission, find_permission
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Replace, Require
from oauthcore.grants.audience import described
from oauthcore.oidc.session import session_of, still_signed_in
from oauthcore.records.client import Client
from oauthcore.records.device import DeviceAuthorization, UserCode
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import DEVICE, DeviceInput, DeviceState, advance
from oauthcore.records.liveness import of_generation
from oauthcore.records.login import Login, LoginSession
from oauthcore.resources import Resource
from oauthcore.scope import Scope
from oauthcore.user_code import read_user_code, shown_user_code
from oauthcore.wire.http import Request
from oauthcore.wire.text import words

# How often one code may be entered, by all users: enough for reloads and a second person, and too few for a code that
# is sent to many (draft-ietf-oauth-cross-device-security section 6.1).
MAX_ENTRIES = 10


@attrs.frozen
class PendingDevice:
    """Hold what a page needs to know about a device whose code was entered.

    `id` is the handle by which the page goes on: it is of this user and this device. `user_code` is shown once more, so
    that the user can compare it. `scope`, `claims` and `resources` are as in a `PendingInteraction`. `need` is `LOGIN`
    if the user has to sign in again first, and otherwise `CONSENT`, which can't be skipped. `acr_values` are wished for
    in a login, the best first, and `ui_locales` are the languages of the page. `requested_at` is when the device asked.
    """

    id: str = attrs.field(repr=False)
    client: Client
    user_code: str = attrs.field(repr=False)
    scope: Scope
    need: Need
    requested_at: int
    claims: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    ui_locales: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()


@attrs.frozen
class Entry:
    """Hold a code as a user typed it, who that is, and the request that it came with."""

    user_code: str = attrs.field(repr=False)
    login: Login
    request: Request


@attrs.frozen
class EntryFacts:
    """Hold what was found for an entered code, and how many wrong ones came before; None for what does not exist."""

    authorization: DeviceAuthorization | None
    client: Client | None
    wrong: tuple[Tally, ...] = ()
    session: LoginSession | None = None


@attrs.frozen
class Entered:
    """Hold what a handle carries: which device's code was entered, by whom, when, and in which login session."""

    authorization: Digest
    letters: str = attrs.field(repr=False)
    subject: str
    at: int
    sid: str | None = None

    @property
    def members(self) -> Mapping[str, Any]:
        """Return it as a handle carries it."""
        return attrs.asdict(self)


def enter(entry: Entry, settings: DeviceGrant, context: Context) -> Flow[Decision[PendingDevice | None]]:
    """Look up the device whose code a user has entered; None if there is none that waits."""
    # What is no code at all is no guess.
    if read_user_code(entry.user_code) is None:
        return Decision(None)
    session = yield from session_of(entry.login)
    if still_signed_in(entry.login, session, context.now) is None:
        raise LoginRequired("the login session has ended")
    wrong = yield from find_wrong_codes(entry.login.subject, entry.request, settings, context)
    # Before the code is looked at, so that who has tried too often learns nothing more.
    for tally in wrong:
        tally.check(context.now)
    named = yield from find(UserCode, user_code_key(entry.user_code, context))
    authorization = None if named is None else (yield from find(DeviceAuthorization, named.authorization))
    client = yield from client_of(authorization)
    return decide_entry(entry, EntryFacts(authorization, client, wrong, session), context)


def decide_entry(entry: Entry, facts: EntryFacts, context: Context) -> Decision[PendingDevice | None]:
    """Count a wrong code, or an entry of the right one, in the commit without which the answer is not shown."""
    letters, found = read_user_code(entry.user_code), facts.authorization
    # Who signs out at this moment, or is signed out, enters nothing after that.
    lasting = session_required(facts.session)
    pending = None
    if letters is not None and found is not None and found.entries < MAX_ENTRIES:
        entered = Entered(found.key, letters, entry.login.subject, context.now, entry.login.sid)
        handle = context.handles.write("device", entered.members, context.mint())
        pending = describe(handle, entered, found, facts.client, entry.login, context)
    if pending is None or found is None:
        event = Event("user_code_refused", None, entry.login.subject)
        return Decision(None, (*lasting, *(tally.one_more(context.now) for tally in facts.wrong)), (event,))
    state = DEVICE[found.state, DeviceInput.ENTER]
    counted = Replace(found, attrs.evolve(found, state=state, entries=found.entries + 1))
    event = Event("user_code_entered", found.client_id, entry.login.subject)
    return Decision(pending, (counted, *lasting, *(tally.unchanged(context.now) for tally in facts.wrong)), (event,))


def session_required(session: LoginSession | None) -> tuple[Change, ...]:
    """Require that the login session lasts until the commit."""
    return () if session is None else (Require(session),)


def read_entered(handle: Secret, login: Login | None, context: Context) -> Entered | None:
    """Return what a handle carries; None for what is no handle, or one of another user or login session."""
    carried = context.handles.read("device", handle)
    if carried is None or login is None:
        return None
    entered = Entered(**carried)
    # A page that one user left open, or a link with their handle, is not the next user's. Nor is it of use in another
    # browser of the same user: it stands in a URL, which is written into logs.
    return entered if (login.subject, login.sid) == (entered.subject, entered.sid) else None


def describe_device(handle: Secret, login: Login | None, context: Context) -> Flow[PendingDevice | None]:
    """Find out what a device waits for whose code was entered; None if it waits for nothing any more."""
    entered = read_entered(handle, login, context)
    if entered is None or login is None:
        return None
    session = yield from session_of(login)
    if still_signed_in(login, session, context.now) is None:
        return None
    found = yield from find(DeviceAuthorization, entered.authorization)
    client = yield from client_of(found)
    return None if found is None else describe(handle, entered, found, client, login, context)


def client_of(authorization: DeviceAuthorization | None) -> Flow[Client | None]:
    """Find the client of an authorization, None if it is gone or another one has its identifier by now."""
    if authorization is None:
        return None
    return of_generation((yield from find(Client, authorization.client_id)), authorization.client_generation)


def describe(
    handle: Secret,
    entered: Entered,
    found: DeviceAuthorization,
    client: Client | None,
    login: Login,
    context: Context,
) -> PendingDevice | None:
    """Describe a device that waits; None if it can't be answered."""
    if found.state is not DeviceState.PENDING or context.now >= found.expires_at:
        return None
    try:
        access = validate_device(found, client, context)
    except OAuthError:
        return None
    return PendingDevice(
        id=handle.reveal(),
        client=access.client,
        user_code=shown_user_code(entered.letters),
        scope=access.scope,
        need=needed_of(access, entered, login, context),
        requested_at=found.issued_at,
        claims=access.claims_beside_scope,
        acr_values=access.essential_acr or wished_acr(access),
        ui_locales=words(access.request.ui_locales),
        resources=tuple(described(access.resources, access.client, context)),
    )


def validate_device(found: DeviceAuthorization, client: Client | None, context: Context) -> RequestedAccess:
    """Check the request once more, by what is stored now; raises an `OAuthError`."""
    access = validate_access(found.request, client, "device", context)
    if DEVICE_CODE not in access.client.grant_types:
        raise InvalidRequest("the client is no longer registered for the device grant")
    return access


def needed_of(access: RequestedAccess, entered: Entered, login: Login, context: Context) -> Need:
    """Return what the user is asked for next: their login, if the request wants another one, or their consent."""
    try:
        is_due = must_sign_in(access, login, InteractionProgress(since=entered.at), context)
    except UnmetAuthenticationRequirements:  # they have just signed in, and can't do better: to ask again would loop
        return Need.CONSENT
    return Need.LOGIN if is_due else Need.CONSENT


@attrs.frozen
class DeviceAnswer:
    """Hold what a user answers: what they allow, or None if they say no."""

    handle: Secret
    login: Login
    scope: Scope | None


@attrs.frozen
class AnswerFacts:
    """Hold what was found for an answer; None for what does not exist."""

    authorization: DeviceAuthorization | None
    client: Client | None = None
    session: LoginSession | None = None
    permission: Permission = NOT_NEEDED
    kept: KeptBefore | None = None


def answer(given: DeviceAnswer, context: Context) -> Flow[Decision[DeviceState]]:
    """Report what the user has answered."""
    entered = read_entered(given.handle, given.login, context)
    if entered is None:
        raise InteractionOver("the handle is none of this user's in this login session")
    found = yield from find(DeviceAuthorization, entered.authorization)
    client = yield from client_of(found)
    session = yield from session_of(given.login)
    permission = yield from find_permission(given.login.subject, client, context.user_policy)
    kept = yield from find_kept(given.login.subject, client, context)
    return decide_answer(given, entered, AnswerFacts(found, client, session, permission, kept), context)


def decide_answer(given: DeviceAnswer, entered: Entered, facts: AnswerFacts, context: Context) -> Decision[DeviceState]:
    """Approve or deny, once; a second answer of the same user that says the same is a double click."""
    found, login = facts.authorization, given.login
    if found is None or context.now >= found.expires_at:
        raise InteractionOver("the device's request has expired")
    if found.subject not in {None, login.subject}:
        raise AnsweredByAnother("the device's request was answered by somebody else")
    if still_signed_in(login, facts.session, context.now) is None:
        raise LoginRequired("the login session has ended")
    # The session has to last until the commit: who signs out at this moment has not allowed anything after that.
    lasting = session_required(facts.session)
    if given.scope is None:
        return denied(found, login, lasting)
    if advance(DEVICE, found.state, DeviceInput.APPROVE) is None:
        raise InteractionOver(f"the device's request is {found.state.value} already")
    if found.state is not DeviceState.PENDING:
        return Decision(DeviceState.APPROVED)
    access = validate_device(found, facts.client, context)
    if not facts.permission.is_given:
        # The request stays: another user may answer it.
        raise AccessDenied.with_description("the user may not use this client")
    # Raises for who could not be authenticated as is essential: there is no browser to send the error through.
    if must_sign_in(access, login, InteractionProgress(since=entered.at), context):
        raise LoginRequired("the request wants another login than this one")
    implies = context.policy.implies
    # RFC 6749 section 3.3: less than was requested may be allowed, and never more.
    if not implies.covers(access.scope, given.scope):
        raise InvalidRequest("the application reports consent to more than was asked for")
    allowed = implies.within(access.scope, given.scope)
    if access.scope and not allowed:
        # Nothing was ticked: that is a no.
        return denied(found, login, lasting)
    grant = device_grant_of(access, Approval(login, allowed, explicit=True), found, context)
    approved = attrs.evolve(
        found, state=DEVICE[found.state, DeviceInput.APPROVE], subject=login.subject, grant=grant.key
    )
    # A stranger's client is kept on the account of the user who allows it something, also at a device.
    used = allowed_by(login.subject, access.client, facts.kept, context, is_used=False)
    return Decision(
        DeviceState.APPROVED,
        (*used, *facts.permission.changes, Replace(found, approved), Insert(grant), *lasting),
        (Event("consent_given", grant.client_id, grant.subject, grant.key),),
    )


def device_grant_of(access: RequestedAccess, approval: Approval, found: DeviceAuthorization, context: Context) -> Grant:
    """Make the grant of a device, which lasts at least until the device has asked for its tokens.

    It is not bound to the login session: that is one of another device, and who signs out there does not mean the one
    in the living room. The account page ends it.
    """
    elsewhere = attrs.evolve(approval, login=attrs.evolve(approval.login, sid=None))
    grant = grant_of(access, elsewhere, context)
    return attrs.evolve(grant, expires_at=max(grant.expires_at, found.expires_at), grant_type=DEVICE_CODE)


def denied(found: DeviceAuthorization, login: Login, lasting: tuple[Change, ...]) -> Decision[DeviceState]:
    """Deny, for good."""
    state = advance(DEVICE, found.state, DeviceInput.DENY)
    if state is None:
        raise InteractionOver(f"the device's request is {found.state.value} already")
    if found.state is DeviceState.DENIED:
        return Decision(state)
    changed = Replace(found, attrs.evolve(found, state=state, subject=login.subject))
    return Decision(state, (changed, *lasting), (Event("consent_denied", found.client_id, login.subject),))
