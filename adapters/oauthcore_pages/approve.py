"""The approve page: the user allows the client all or some of what it requests, or denies it."""

from __future__ import annotations

from oauthcore import Response
from oauthcore.authorization.next_step import Need
from oauthcore.errors import InvalidRequest
from oauthcore.flow.effects import Flow
from oauthcore.wire.parameters import query_of
from oauthcore_pages.form import Form
from oauthcore_pages.page_context import Visit
from oauthcore_pages.session import Session


def show_approve(visit: Visit) -> Flow[Response]:
    """Show the consent page, if the user is signed in."""
    handle = query_of(visit.request).need("interaction")
    paths = visit.around.paths
    if visit.session is None or visit.session.signed_in is None:
        return visit.send_to(paths.login, handle)
    pending = yield from visit.pending(handle, visit.login)
    if pending.need in {Need.LOGIN, Need.SELECT_ACCOUNT, Need.CREATE}:
        return visit.send_to(paths.login, handle)
    # Also if consent is no longer needed, as after consent in another tab: a GET must not continue the request.
    hidden = visit.hidden(paths.approve, handle, visit.session)
    logout = visit.send_to(paths.logout, handle).header("location") or ""
    username, remember = visit.session.signed_in.username, visit.around.remember
    if pending.need is Need.OTHER_ACCOUNT:
        return visit.around.templates.other_account(visit.language, hidden, pending, username, logout)
    return visit.around.templates.approve(visit.language, hidden, pending, username, logout, remember=remember)


def decide(visit: Visit) -> Flow[Response]:
    """Report the user's answer."""
    form, session, handle = visit.submitted()
    match form.get("approval"):
        case "0" if session.login is None:
            # The page was shown to a user who was signed in. Denying stores the request as denied, which is
            # not allowed without a login.
            return visit.send_to(visit.around.paths.login, handle)
        case "0":
            return (
                yield from visit.around.server.interactions.deny(handle, session.login, error_page=visit.error_page)
            )
        case "1":
            return (yield from allow(visit, form, handle, session))
        case _:
            raise InvalidRequest("approval is neither 0 nor 1")


def allow(visit: Visit, form: Form, handle: str, session: Session) -> Flow[Response]:
    """Report consent to what was ticked."""
    if session.login is None:
        return visit.send_to(visit.around.paths.login, handle)
    # With no checkbox ticked, a form is sent as if it had none; the hidden markers tell the two apart.
    scope = form.all("scope")
    if not form.get("scopes_shown"):
        pending = yield from visit.around.server.interactions.find(handle, session.login)
        scope = () if pending is None else pending.scope.tokens
    details = None
    if form.get("details_shown"):
        # The request is the same as when the page was shown, and so are the places of its details.
        pending = yield from visit.around.server.interactions.find(handle, session.login)
        ticked = form.all("detail")
        requested = () if pending is None else pending.details
        details = [detail.members for place, detail in enumerate(requested) if str(place) in ticked]
    remember = bool(form.get("remember")) or (visit.around.remember and not form.get("remember_shown"))
    server = visit.around.server
    return (
        yield from server.interactions.finish(
            handle, session.login, scope, remember=remember, details=details, error_page=visit.error_page
        )
    )
