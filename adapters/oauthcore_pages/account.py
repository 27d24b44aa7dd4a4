"""The account page: what the user has authorized, where they are signed in, and how to sign out."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

import attrs

from oauthcore import Client, LoginSession, Response
from oauthcore.flow.effects import Flow, find
from oauthcore.wire.http import see_other
from oauthcore.wire.parameters import query_of
from oauthcore_pages.page_context import Visit
from oauthcore_pages.rendering import Listed, introduced

# What these forms are bound to, in place of an interaction's handle, which never looks like one of these words.
ACCOUNT, LOGOUT = "account", "logout"


def show_account(visit: Visit) -> Flow[Response]:
    """Show the account page to its user."""
    paths = visit.around.paths
    if visit.session is None or visit.session.signed_in is None:
        return visit.send_to(paths.login)
    signed_in = visit.session.signed_in
    applications = yield from visit.around.server.applications.of(signed_in.login.subject)
    sessions = yield from visit.around.server.sessions.of(signed_in.login.subject)
    names = yield from names_of(sessions, visit.language)
    waiting = 0
    if paths.requests:
        waiting = len((yield from visit.around.server.backchannel.pending(signed_in.login.subject)))
    return visit.around.templates.account(
        visit.language,
        visit.hidden(paths.account, "", visit.session, ACCOUNT),
        signed_in.username,
        applications,
        paths.logout,
        sessions=[Listed(session, names, here=session.key == signed_in.login.sid) for session in sessions],
        requests=paths.requests,
        waiting=waiting,
        done=next((word for word in ("revoked", "ended") if word in query_of(visit.request)), None),
    )


def names_of(sessions: Iterable[LoginSession], language: str) -> Flow[dict[str, str]]:
    """Find the names of the clients that the user is signed in to."""
    names: dict[str, str] = {}
    for client_id in sorted({client_id for session in sessions for client_id in session.client_ids}):
        client = yield from find(Client, client_id)
        names[client_id] = client_id if client is None else introduced(client, language)
    return names


def take_back(visit: Visit) -> Flow[Response]:
    """Revoke what one client was allowed, or end one login session."""
    form, session, _ = visit.submitted(ACCOUNT)
    if session.login is None:
        return visit.send_to(visit.around.paths.login)
    subject, server, sid = session.login.subject, visit.around.server, form.get("sid")
    if grant := form.get("grant"):  # of one device of theirs, or one request
        _ = yield from server.applications.withdraw_grant(subject, grant)
        return see_other(f"{visit.around.paths.account}?revoked=1")
    _ = yield from (
        server.sessions.end(sid, subject) if sid else server.applications.withdraw(subject, form.need("client_id"))
    )
    return see_other(f"{visit.around.paths.account}?{'ended' if sid else 'revoked'}=1")


def show_logout(visit: Visit) -> Flow[Response]:
    """Ask whether to sign out, unless no user is signed in, or the client has proved which user it means."""
    paths, query = visit.around.paths, query_of(visit.request)
    handle = query.get("logout")
    pending = None if handle is None else (yield from visit.around.server.sessions.find_logout(handle, visit.login))
    if visit.session is None or visit.session.signed_in is None or (pending is not None and not pending.must_ask):
        return (yield from leave(visit, handle, None))
    # In the URL of the form, so that also a custom template, which knows nothing of it, sends it.
    action = paths.logout if handle is None else f"{paths.logout}?{urlencode({'logout': handle})}"
    hidden = visit.hidden(action, query.get("interaction") or "", visit.session, LOGOUT)
    client = None if pending is None else pending.client
    return visit.around.templates.logout(visit.language, hidden, visit.session.signed_in.username, client)


def sign_out(visit: Visit) -> Flow[Response]:
    """Sign out; if a client waits for a login, another user may sign in."""
    _, _, handle = visit.submitted(LOGOUT)
    waiting = visit.send_to(visit.around.paths.login, handle).header("location") if handle else None
    return (yield from leave(visit, query_of(visit.request).get("logout"), waiting))


def leave(visit: Visit, handle: str | None, location: str | None) -> Flow[Response]:
    """End the login session, and delete its cookie."""
    around = visit.around
    response = yield from around.server.sessions.sign_out(
        visit.request,
        visit.login,
        handle,
        location=location,
        signed_out_page=lambda left: around.templates.signed_out(visit.language, around.paths.login, left),
        error_page=visit.error_page,
    )
    if response.refusal is not None:
        return response
    return attrs.evolve(response, headers=(*response.headers, around.sessions.forgotten()))
