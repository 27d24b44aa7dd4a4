"""The pages of a device: its code, whether it is allowed, and that it is done (RFC 8628 section 3.3)."""

from __future__ import annotations

from oauthcore import DeviceState, Need, Response
from oauthcore.errors import InteractionOver, InvalidRequest, LoginRequired
from oauthcore.flow.effects import Flow, pure
from oauthcore.user_code import read_user_code, shown_user_code
from oauthcore.wire.http import see_other
from oauthcore.wire.parameters import query_of
from oauthcore_pages.device_entry import CODE, enter_code, show_code
from oauthcore_pages.form import Form
from oauthcore_pages.login import show_form
from oauthcore_pages.page_context import Visit
from oauthcore_pages.rendering import CodeProblem
from oauthcore_pages.session import Session


def show_device(visit: Visit) -> Flow[Response]:
    """Ask for the code, or whether the device is allowed, or say what became of it."""
    query = query_of(visit.request)
    handle, done = query.get("device"), query.get("done")
    if handle is not None:
        return show_request(visit, handle)
    if done in {"allowed", "denied"}:
        return pure(
            visit.around.templates.device_done(visit.language, visit.around.paths.account, allowed=done == "allowed")
        )
    return pure(show_code(visit, query.get("user_code") or ""))


def show_request(visit: Visit, handle: str) -> Flow[Response]:
    """Ask whether the device is allowed: each time, whatever was allowed before."""
    if visit.session is None or visit.session.signed_in is None:
        return visit.send_to(visit.around.paths.device)
    pending = yield from visit.around.server.devices.find(handle, visit.login)
    if pending is None:
        raise InteractionOver("the device waits for nothing any more, or its code was entered by somebody else")
    if pending.need is Need.LOGIN:
        return (yield from show_form(visit, "", None, pending.user_code))
    hidden = visit.hidden(visit.around.paths.device, handle, visit.session)
    username = visit.session.signed_in.username
    return visit.around.templates.device_approve(visit.language, hidden, pending, username, visit.around.paths.logout)


def submit_device(visit: Visit) -> Flow[Response]:
    """Take the code, or the answer."""
    handle = Form.of(visit.request).get("device")
    form, session, _ = visit.submitted(handle or CODE)
    if handle:
        return (yield from answer(visit, form, session, handle))
    typed = form.get("user_code")
    letters = read_user_code(typed)
    if letters is None:
        return show_code(visit, typed, CodeProblem())
    if session.login is None:
        # The sign-in comes first: a visitor who is not signed in must not learn whether there is such a code.
        return (yield from show_form(visit, "", None, shown_user_code(letters)))
    try:
        return (yield from enter_code(visit, session, letters))
    except LoginRequired:  # the session was ended elsewhere, which the cookie does not show
        return (yield from show_form(visit, "", None, shown_user_code(letters)))


def answer(visit: Visit, form: Form, session: Session, handle: str) -> Flow[Response]:
    """Report what the person said."""
    server, paths = visit.around.server, visit.around.paths
    if session.login is None:
        return visit.send_to(paths.device)
    match form.get("approval"):
        case "0":
            state = yield from server.devices.deny(handle, session.login)
        case "1":
            state = yield from server.devices.finish(handle, session.login, form.all("scope"))
        case _:
            raise InvalidRequest("approval is neither 0 nor 1")
    return see_other(f"{paths.device}?done={'allowed' if state is DeviceState.APPROVED else 'denied'}")
