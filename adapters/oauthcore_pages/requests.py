"""The page of what clients ask a user in the background: what waits for them, to be allowed or denied (CIBA Core 8)."""

from __future__ import annotations

from oauthcore import Response
from oauthcore.errors import InvalidRequest, LoginRequired
from oauthcore.flow.effects import Flow
from oauthcore.wire.http import see_other
from oauthcore.wire.parameters import query_of
from oauthcore_pages.login import show_form
from oauthcore_pages.page_context import Visit

# What these forms are bound to, in place of an interaction's handle, which never looks like this word.
REQUESTS = "requests"


def show_requests(visit: Visit) -> Flow[Response]:
    """List what waits for the user who is signed in; a client asks each time, whatever was allowed before."""
    around = visit.around
    if visit.session is None or visit.session.signed_in is None:
        return visit.send_to(around.paths.login)
    signed_in = visit.session.signed_in
    pending = yield from around.server.backchannel.pending(signed_in.login.subject)
    done = query_of(visit.request).get("done")
    return around.templates.requests(
        visit.language,
        visit.hidden(around.paths.requests, "", visit.session, REQUESTS),
        pending,
        signed_in.username,
        around.paths.logout,
        around.paths.account,
        done=done if done in {"allowed", "denied"} else None,
    )


def answer_request(visit: Visit) -> Flow[Response]:
    """Report what the user has answered to one request."""
    form, session, _ = visit.submitted(REQUESTS)
    backchannel, paths = visit.around.server.backchannel, visit.around.paths
    if session.login is None:
        return visit.send_to(paths.login)
    request_id = form.need("request")
    match form.get("approval"):
        case "0":
            _ = yield from backchannel.deny(request_id, session.login)
            return see_other(f"{paths.requests}?done=denied")
        case "1":
            try:
                _ = yield from backchannel.allow(request_id, session.login, form.all("scope"))
            except LoginRequired:  # the client wants a login that is newer; the request waits for it
                return (yield from show_form(visit, "", None))
            return see_other(f"{paths.requests}?done=allowed")
    raise InvalidRequest("approval is neither 0 nor 1")
