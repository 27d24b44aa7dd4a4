"""Entering the code of a device: its form, and what becomes of a code that was entered (RFC 8628 section 3.3)."""

from __future__ import annotations

from urllib.parse import quote

from oauthcore import Response
from oauthcore.errors import TooManyAttempts
from oauthcore.flow.effects import Flow
from oauthcore.user_code import read_user_code, shown_user_code
from oauthcore.wire.http import see_other
from oauthcore_pages.page_context import Visit
from oauthcore_pages.rendering import CodeProblem
from oauthcore_pages.session import Session

# What the form for a code is bound to, where those of an interaction are bound to its handle; none looks like one.
CODE = "device"


def show_code(visit: Visit, typed: str, problem: CodeProblem | None = None) -> Response:
    """Ask for the code; one that came with a link is shown to be compared, and has to be submitted all the same."""
    # RFC 8628 section 3.3.1. A link is not enough: an attacker may have sent it (section 5.4).
    letters = read_user_code(typed)
    session = visit.session or visit.around.sessions.begin()
    hidden = visit.hidden(visit.around.paths.device, "", session, CODE)
    shown = typed[:20] if letters is None else shown_user_code(letters)
    page = visit.around.templates.device(visit.language, hidden, shown, problem)
    return page if visit.session is not None else visit.remembering(session, page)


def enter_code(visit: Visit, session: Session, code: str) -> Flow[Response]:
    """Look the code up for who is signed in, and go on to the question whether they allow it."""
    assert session.login is not None
    try:
        pending = yield from visit.around.server.devices.enter(code, session.login, visit.request)
    except TooManyAttempts as refusal:
        return show_code(visit, code, CodeProblem(wait=refusal.retry_after or 1))
    if pending is None:
        return show_code(visit, code, CodeProblem())
    return see_other(f"{visit.around.paths.device}?device={quote(pending.id, safe='')}")
