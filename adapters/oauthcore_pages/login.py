"""The login page, for an interaction, or for the account page if there is none."""

from __future__ import annotations

from urllib.parse import urlencode

import attrs

from oauthcore import AuthenticatedUser, OutdatedLogin, Response, Secret, Throttled
from oauthcore.authorization.next_step import Need
from oauthcore.flow.effects import Flow, authenticate
from oauthcore.records.login import BY_PASSWORD
from oauthcore.user_code import read_user_code, shown_user_code
from oauthcore.wire.http import see_other
from oauthcore.wire.parameters import query_of
from oauthcore_pages.device_entry import CODE, enter_code
from oauthcore_pages.form_token import ForgedForm
from oauthcore_pages.page_context import Visit
from oauthcore_pages.rendering import Attempt
from oauthcore_pages.session import Session

# How often a password is verified again because its user was changed in the meantime.
ATTEMPTS = 3


def show_login(visit: Visit) -> Flow[Response]:
    """Show the login page, unless the user's current login is sufficient."""
    handle, code = query_of(visit.request).get("interaction") or "", code_in(visit)
    if code:
        # Only a form of the device page leads on from a code; a link to this one leads back there.
        return see_other(f"{visit.around.paths.device}?{urlencode({'user_code': code})}")
    if not handle:
        if visit.login is not None:
            return visit.send_to(visit.around.paths.account)
        return (yield from show_form(visit, "", None))
    pending = yield from visit.pending(handle, visit.login)
    if visit.session is not None and visit.session.signed_in is not None and pending.need is not Need.LOGIN:
        if pending.need is not Need.SELECT_ACCOUNT:
            return visit.send_to(visit.around.paths.approve, handle)
        hidden = visit.hidden(visit.around.paths.login, handle, visit.session)
        username = visit.session.signed_in.username
        return visit.around.templates.select_account(visit.language, hidden, pending, username)
    return (yield from show_form(visit, handle, None))


def sign_in(visit: Visit) -> Flow[Response]:
    """Verify the password, or accept the chosen account that is signed in, and continue the request."""
    code = code_in(visit)
    try:
        form, session, handle = visit.submitted(bound_to(code))
    except ForgedForm as forged:
        if visit.login is None or forged.retry_url is None:
            raise
        # They signed in in another tab while this form was open, so its content is neither needed nor read.
        return see_other(forged.retry_url)
    match form.get("account"):
        case "current" if session.login is not None:
            return (yield from go_on(visit, handle, session))
        case "current" | "other":
            return (yield from show_form(visit, handle, None))
    username = form.get("username")
    password = Secret(form.get("password"))
    for _ in range(ATTEMPTS):
        user = yield from authenticate(username, password)
        if user is None:
            return (yield from show_form(visit, handle, Attempt(username=username), code))
        if isinstance(user, Throttled):
            return (yield from show_form(visit, handle, Attempt(username=username, wait=user.seconds), code))
        signed_in = yield from begin_session(visit, username, user)
        if signed_in is None:
            continue
        if code:
            entering = attrs.evolve(visit, session=signed_in)
            return visit.remembering(signed_in, (yield from enter_code(entering, signed_in, code)))
        return visit.remembering(signed_in, (yield from go_on(visit, handle, signed_in)))
    return (yield from show_form(visit, handle, Attempt(username=username, wait=1), code))


def code_in(visit: Visit) -> str:
    """Return the user code of the device that the user signs in for, as it is displayed; blank if there is none."""
    letters = read_user_code(query_of(visit.request).get("user_code") or "") if visit.around.paths.device else None
    return "" if letters is None else shown_user_code(letters)


def bound_to(code: str) -> str | None:
    """Return what the form for signing in is bound to: a code that was submitted, or the interaction (None)."""
    return f"{CODE} {code}" if code else None


def begin_session(visit: Visit, username: str, user: AuthenticatedUser) -> Flow[Session | None]:
    """Begin a login session, or continue that of this browser; None if the user has changed.

    Between the look-up of the user and this moment a password was hashed. In the meantime the user may have been given
    another password, or been removed: then this password proves nothing.
    """
    sessions = visit.around.sessions
    before = None if visit.login is None else visit.login.sid
    try:
        login = yield from visit.around.server.sessions.sign_in(
            user.subject,
            acr=BY_PASSWORD,
            amr=(BY_PASSWORD,),
            before=before,
            lifetime=sessions.lifetime,
            relying_on=user.relying_on,
        )
    except OutdatedLogin:  # the records that the login relies on have changed; nothing was committed
        return None
    return sessions.sign_in(username, login)


def go_on(visit: Visit, handle: str, signed_in: Session) -> Flow[Response]:
    """Report the login to the interaction, or redirect to the account page, or to the requests that wait."""
    assert signed_in.login is not None
    if not handle:
        paths, subject = visit.around.paths, signed_in.login.subject
        # Who signs in while a client waits for their answer has most probably come for that.
        is_asked = paths.requests and (yield from visit.around.server.backchannel.pending(subject))
        return visit.send_to(paths.requests if is_asked else paths.account)
    return (yield from visit.around.server.interactions.finish(handle, signed_in.login, error_page=visit.error_page))


def show_form(visit: Visit, handle: str, failed: Attempt | None, code: str = "") -> Flow[Response]:
    """Show the form, in a session that its token is bound to; with the code of a device, if one waits for it."""
    pending = None
    if handle:
        pending = yield from visit.pending(handle, None if failed else visit.login)
    session = visit.session or visit.around.sessions.begin()
    path = visit.around.paths.login
    # In the action, so that a template that knows nothing of it carries it along.
    action = f"{path}?{urlencode({'user_code': code})}" if code else path
    hidden = visit.hidden(action, handle, session, bound_to(code))
    page = visit.around.templates.login(visit.language, hidden, pending, failed)
    return page if visit.session is not None else visit.remembering(session, page)
