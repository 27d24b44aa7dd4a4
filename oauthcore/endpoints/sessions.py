"""The host's side of login sessions: begin one, list a person's, end one or all. Not an endpoint of a standard."""

from __future__ import annotations

import attrs

from oauthcore.context import Context
from oauthcore.errors import OutdatedLogin
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Decision, Event, Insert, Replace, Require
from oauthcore.flow.transact import commit_with_retry
from oauthcore.oidc.session import NO_SESSIONS, SessionsToEnd, ending, is_active, sessions_to_end
from oauthcore.records.lifecycle import SESSION, SessionInput
from oauthcore.records.login import Login, LoginSession
from oauthcore.records.record import Record


@attrs.frozen
class SignIn:
    """Hold who signed in and how. `sid` is for a new session; `before` is the browser's session until now, if any.

    `just_now` is true if they signed in at this moment, and the host has not named another time. `relying_on` are the
    records that the host has read and from which it concluded who this is.
    """

    login: Login
    sid: str
    before: str | None
    lifetime: int
    just_now: bool = False
    relying_on: tuple[Record, ...] = ()

    def auth_time_after(self, before: LoginSession | None) -> int:
        """Return the time of the login, always later than the previous one in this browser.

        Times are in seconds. If two logins had the same time, a client could not see that prompt=login had an effect,
        and the server could not see that the user has signed in since the request.
        """
        if before is None or not self.just_now:
            return self.login.auth_time
        return max(self.login.auth_time, before.auth_time + 1)


def sign_in(details: SignIn, context: Context) -> Flow[Decision[Login]]:
    """Continue the session that the browser had, or begin one; raises `OutdatedLogin`.

    `OutdatedLogin` is not retried, because reading again would not repeat the host's own check (of a password, say).
    """
    # The password may have been changed since it was verified; then there is no login.
    for record in details.relying_on:
        if (yield from find(type(record), record.key)) != record:
            raise OutdatedLogin(f"the {type(record).__name__} that it was concluded from who signs in is another now")
    before = None if details.before is None else (yield from find(LoginSession, details.before))
    # Another user signs in in this browser: the previous session ends, or its clients would continue for a user who has
    # left.
    if before is None or before.subject == details.login.subject:
        return decide_sign_in(details, before, NO_SESSIONS, context)
    return decide_sign_in(details, before, (yield from sessions_to_end([before])), context)


def decide_sign_in(
    details: SignIn, before: LoginSession | None, ends: SessionsToEnd, context: Context
) -> Decision[Login]:
    """Choose between two cases: the same user's session continues; or another user's session, if any, ends.

    Returns the login of the session that is now in use.
    """
    login, over = details.login, context.now + details.lifetime
    relied_on = tuple(map(Require, details.relying_on))
    event = Event("signed_in", None, login.subject)
    how = {"auth_time": details.auth_time_after(before), "acr": login.acr, "amr": login.amr, "expires_at": over}
    # The session of the same user goes on, so that clients keep the sid that they know (OIDC Back-Channel Logout 2.1).
    if before is not None and is_active(before, context.now) and before.subject == login.subject:
        renewed = attrs.evolve(before, state=SESSION[before.state, SessionInput.SIGN_IN], **how)  # type: ignore[arg-type]  # the fields' own
        return Decision(renewed.login, (*relied_on, Replace(before, renewed)), (event,))
    # In the same commit as the new session: no moment has both users signed in at this browser, or a logout unqueued.
    ended = ending(ends, context)
    fresh = LoginSession(key=details.sid, subject=login.subject, started_at=context.now, **how)  # type: ignore[arg-type]  # likewise
    return Decision(fresh.login, (*relied_on, *ended.changes, Insert(fresh)), (*ended.events, event))


def signed_in(details: SignIn, context: Context) -> Flow[Login]:
    """Begin a session, and return its login; the session that the browser had may be continued instead."""
    return commit_with_retry(lambda: sign_in(details, context))


def sessions(subject: str, context: Context) -> Flow[tuple[LoginSession, ...]]:
    """Find a person's sessions that last, the newest first."""
    found = yield from find_of(LoginSession, subject)
    lasting = (session for session in found if is_active(session, context.now))
    return tuple(sorted(lasting, key=lambda session: (session.started_at, session.key), reverse=True))


def end_session(sid: str, subject: str | None, context: Context) -> Flow[Decision[bool]]:
    """End one session; with a subject, only if it is theirs. Return whether there was one to end."""
    session = yield from find(LoginSession, sid)
    # A user may end only their own sessions, even if they know the `sid` of another.
    if session is None or subject not in {None, session.subject}:
        return Decision(False)
    ended = ending((yield from sessions_to_end([session])), context)
    return Decision(is_active(session, context.now), ended.changes, ended.events)


def end_sessions(subject: str, context: Context) -> Flow[Decision[int]]:
    """End all sessions of a user, and return how many there were.

    `commit_until_unchanged` repeats this until none is left, since a session may begin between the find and the commit.
    """
    found = yield from find_of(LoginSession, subject)
    ended = ending((yield from sessions_to_end(found)), context)
    return Decision(sum(is_active(session, context.now) for session in found), ended.changes, ended.events)
