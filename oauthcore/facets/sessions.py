"""Sessions: who has signed in at the host, and how that ends, for its clients too (OIDC logout)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from oauthcore.authorization.browser import browser_of
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.end_session import PendingLogout, RenderSignedOut, SignOut, describe_logout, sign_out
from oauthcore.endpoints.logout_delivery import DueLogouts, deliver, deliver_to, due_by_client
from oauthcore.endpoints.sessions import SignIn, end_session, end_sessions, sessions, signed_in
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import Refuse, commit_until_unchanged, commit_with_retry, total, transact
from oauthcore.oidc.front_channel import plain_signed_out_page
from oauthcore.records.login import Login, LoginSession, check_login
from oauthcore.records.record import Record
from oauthcore.wire.http import Request, Response
from oauthcore.wire.refusals import RenderErrorPage

# A working day: who leaves a browser open should not be signed in there for ever.
SESSION_LIFETIME = 8 * 3_600


class Sessions:
    """Be `server.sessions`: begin, list and end login sessions, and tell clients of those that have ended."""

    def __init__(
        self, context: Callable[[], Context], refuse_as_page: Callable[[RenderErrorPage | None], Refuse]
    ) -> None:
        self._context = context
        self._refuse_as_page = refuse_as_page

    def sign_in(
        self,
        subject: str,
        *,
        auth_time: int | None = None,
        acr: str | None = None,
        amr: Iterable[str] = (),
        before: str | None = None,
        lifetime: int = SESSION_LIFETIME,
        relying_on: Iterable[Record] = (),
    ) -> Flow[Login]:
        """Begin a login session for who has just signed in, by default now; `lifetime` is in seconds.

        `before` is the `sid` that the browser had until now: their own session goes on, another's is ended. What comes
        back is to be kept in the host's own session, and told to `handle`. Raises `EffectFailed` if storage fails.

        `relying_on` are the records of this storage by which the host knows who this is: the user's, say, as it was
        read before the password was hashed. The session begins only while they are stored so; raises `OutdatedLogin`
        where one has changed or is gone, and the host has to find out anew who it is.
        """
        if lifetime < 1:
            raise ConfigurationError("lifetime", lifetime, "use a number of seconds, 1 or more")
        context = self._context()
        login = Login(subject=subject, auth_time=context.now if auth_time is None else auth_time, acr=acr, amr=amr)
        details = SignIn(login, context.mint().reveal(), before, lifetime, auth_time is None, tuple(relying_on))
        return signed_in(details, context)

    def of(self, subject: str) -> Flow[tuple[LoginSession, ...]]:
        """Find the login sessions of a person that last, the newest first. Raises `EffectFailed` if storage fails."""
        return sessions(subject, self._context())

    def end(self, sid: str, subject: str | None = None) -> Flow[bool]:
        """End a login session and what is bound to it, and have its clients told; with a subject, only if it is theirs.

        Return whether there was one to end. Raises `EffectFailed` if storage fails; nothing is done then.
        """
        context = self._context()
        return commit_with_retry(lambda: end_session(sid, subject, context))

    def end_all(self, subject: str) -> Flow[int]:
        """End all login sessions of a person, as when their password has changed; return how many there were.

        When it returns, every session that was there at the call has ended, with all that is bound to it. Raises
        `EffectFailed` if storage fails: a part may be done then, and it is to be called again.
        """
        context = self._context()
        return total(commit_until_unchanged(lambda _: end_sessions(subject, context)))

    def find_logout(self, handle: str, login: Login | None) -> Flow[PendingLogout | None]:
        """Find the logout that a client has sent a person here for; None if the handle is unknown or over.

        `login` is who is signed in now. Raises `EffectFailed` if storage fails.
        """
        check_login(login)
        return describe_logout(Secret(handle), login, self._context())

    def sign_out(
        self,
        request: Request,
        login: Login | None,
        handle: str | None = None,
        *,
        location: str | None = None,
        signed_out_page: RenderSignedOut = plain_signed_out_page,
        error_page: RenderErrorPage | None = None,
    ) -> Flow[Response]:
        """End the login session of who is signed in, at their wish; return what their browser is shown or sent to.

        With a `handle` it is sent back to the client that asked for it, if that wants so; else to `location`, one of
        the host's own. The host forgets the browser's session itself: a cookie is nothing that is known here.
        """
        check_login(login)
        context = self._context()
        logout_handle = None if handle is None else Secret(handle)
        signing_out = SignOut(login, browser_of(request, context), logout_handle, location)
        return transact(lambda: sign_out(signing_out, signed_out_page, context), self._refuse_as_page(error_page))

    def deliver_logouts(self, limit: int = 20) -> Flow[int]:
        """Tell clients of sessions that have ended, as far as that is due; return how many were tried.

        To be called every few seconds by whoever likes to, also by several at once. `limit` is how many are tried at
        most, one after the other; a client that does not answer is asked once. Raises `EffectFailed` if storage fails.
        """
        return deliver(limit, self._context)

    def due_logouts(self, limit: int = 20) -> Flow[tuple[DueLogouts, ...]]:
        """Return what `deliver_logouts` would try, each client's apart, for a host that tells several at a time."""
        return due_by_client(limit, self._context().now)

    def deliver_logouts_to(self, due: DueLogouts) -> Flow[int]:
        """Tell one client of sessions that have ended; return how many were tried. Raises as `deliver_logouts` does."""
        return deliver_to(due, self._context)
