"""Sessions: who has signed in at the host, and how that ends, for its clients too (OIDC logout)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from oauthcore.authorization.browser import browser_of
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.end_session import PendingLogout, RenderSignedOut, SignOut, describe_logout, sign_out
from oauthcore.endpoints.logout_delivery import LOGOUTS, DueLogouts
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
    """The login sessions of a server, `server.sessions`: begin, list and end them, and notify clients."""

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
        """Begin a login session for a user who has just signed in; `lifetime` is in seconds.

        `auth_time` is by default now. `before` is the `sid` that the browser had until now: a session of the same user
        continues, another's is ended. Keep the returned login in the host's own session, and pass it to `handle`.
        Raises `EffectFailed` if storage fails.

        `relying_on` are the records of this storage from which the host concluded who this is: the user's, say, as it
        was read before the password was verified. The session begins only if they are unchanged; otherwise
        `OutdatedLogin` is raised, and the host has to authenticate the user again.
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
        """End a login session with its grants, and notify its clients; with a subject, only if it is theirs.

        Returns whether there was one to end. Raises `EffectFailed` if storage fails; then nothing has changed.
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
        """End the login session of the user who has confirmed it; return the response for their browser.

        With a `handle`, the browser returns to the client that requested the logout, if that client wants so; otherwise
        to `location`, a page of the host. The host has to delete its own session: cookies are not known here.
        """
        check_login(login)
        context = self._context()
        logout_handle = None if handle is None else Secret(handle)
        signing_out = SignOut(login, browser_of(request, context), logout_handle, location)
        return transact(lambda: sign_out(signing_out, signed_out_page, context), self._refuse_as_page(error_page))

    def deliver_logouts(self, limit: int = 20) -> Flow[int]:
        """Notify clients of sessions that have ended, as far as that is due; return how many were tried.

        Call it every few seconds; several workers may do so at the same time. At most `limit` are tried, one after the
        other; a client that does not answer is tried once. Raises `EffectFailed` if storage fails.
        """
        return LOGOUTS.deliver(limit, self._context)

    def due_logouts(self, limit: int = 20) -> Flow[tuple[DueLogouts, ...]]:
        """Return what `deliver_logouts` would try, by client, for a host that notifies several at the same time."""
        return LOGOUTS.due_by_client(limit, self._context().now)

    def deliver_logouts_to(self, due: DueLogouts) -> Flow[int]:
        """Notify one client of ended sessions; return how many were tried. Raises as `deliver_logouts` does."""
        return LOGOUTS.deliver_to(due, self._context)
