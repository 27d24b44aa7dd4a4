"""The account page: what the person has authorized, and how to take it back. And how to sign out."""

from __future__ import annotations

import attrs

from oauthcore import Response
from oauthcore.effects import Flow, settled
from oauthcore.errors import TemporarilyUnavailable
from oauthcore.http import see_other
from oauthcore.parameters import query_of
from oauthcore.refusals import ErrorPage
from oauthcore_pages.surroundings import Visit

# What the forms here are bound to, where those of an interaction are bound to its handle; none looks like one.
ACCOUNT, LOGOUT = "account", "logout"


def show_account(visit: Visit) -> Flow[Response]:
    """Show what there is, to whom it belongs."""
    paths = visit.around.paths
    if visit.session is None or visit.session.signed_in is None:
        return visit.send_to(paths.login)
    signed_in = visit.session.signed_in
    applications = yield from visit.around.server.applications(signed_in.login.subject)
    return visit.around.looks.account(
        visit.language,
        visit.hidden(paths.account, "", visit.session, ACCOUNT),
        signed_in.username,
        applications,
        paths.logout,
        revoked=query_of(visit.request).get("revoked") is not None,
    )


def revoke(visit: Visit) -> Flow[Response]:
    """Take back what one client was allowed."""
    form, session, _ = visit.submitted(ACCOUNT)
    if session.login is None:
        return visit.send_to(visit.around.paths.login)
    response = yield from visit.around.server.withdraw(session.login.subject, form.need("client_id"))
    if response.status == 200:
        return see_other(f"{visit.around.paths.account}?revoked=1")
    page = ErrorPage(response.status, TemporarilyUnavailable.code, TemporarilyUnavailable.description)
    return attrs.evolve(visit.error(page), refusal=response.refusal)


def show_logout(visit: Visit) -> Flow[Response]:
    """Ask whether to sign out; say so where nobody is signed in."""
    paths = visit.around.paths
    if visit.session is None or visit.session.signed_in is None:
        return settled(visit.around.looks.signed_out(visit.language, paths.login))
    handle = query_of(visit.request).get("interaction") or ""
    hidden = visit.hidden(paths.logout, handle, visit.session, LOGOUT)
    return settled(visit.around.looks.logout(visit.language, hidden, visit.session.signed_in.username))


def sign_out(visit: Visit) -> Flow[Response]:
    """Forget the session; where an application waits, somebody else may sign in for it."""
    _, _, handle = visit.submitted(LOGOUT)
    paths = visit.around.paths
    page = visit.around.looks.signed_out(visit.language, paths.login)
    response = visit.send_to(paths.login, handle) if handle else page
    return settled(attrs.evolve(response, headers=(*response.headers, visit.around.sessions.forgotten())))
