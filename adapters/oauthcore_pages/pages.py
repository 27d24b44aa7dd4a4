"""The pages as flows: the first application of the core's contract for interactions.

The core sends the browser to the login or the approve page with an interaction's handle. The page asks, reports what
was answered by `finish` or `deny`, and the response of those sends the browser on. All that is remembered here is who
is signed in, in a cookie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import attrs

from oauthcore import AuthorizationServer, ConfigurationError, Login, PendingInteraction, Request, Response, Secret
from oauthcore.authorization.need import Need
from oauthcore.clock import Clock
from oauthcore.effects import Flow, authenticate, settled
from oauthcore.entropy import Entropy
from oauthcore.errors import InvalidRequest, OAuthError
from oauthcore.http import see_other
from oauthcore.outcome import Outcome
from oauthcore.parameters import query_of
from oauthcore.refusals import refuse_as_page
from oauthcore.transact import transact
from oauthcore_pages.form import Form
from oauthcore_pages.form_token import FormTokens
from oauthcore_pages.looks import Hidden, Looks
from oauthcore_pages.session import Session, Sessions

MINIMUM_KEY = 32

Page: TypeAlias = Callable[[Request], Flow[Response]]


class Pages:
    """Show the login and the approve page of a server, at the paths that it has for them.

    `key` is at least 32 secret random bytes, the same for every worker. Whose a username and password are is asked
    with the `Authenticate` effect, so the world that runs the flows answers it. `session_lifetime`, in seconds, is how
    long a person stays signed in.

    Raises `ConfigurationError` for settings that can't be.
    """

    def __init__(
        self,
        server: AuthorizationServer,
        *,
        key: bytes,
        clock: Clock,
        entropy: Entropy,
        looks: Looks | None = None,
        session_lifetime: int = 8 * 3_600,
    ) -> None:
        if len(key) < MINIMUM_KEY:
            raise ConfigurationError("key", f"{len(key)} bytes", "use 32 random bytes or more")
        if session_lifetime < 1:
            raise ConfigurationError("session_lifetime", session_lifetime, "use a number of seconds, 1 or more")
        self._server = server
        self._looks = looks or Looks()
        self._sessions = Sessions(server.issuer, clock, entropy, session_lifetime, key)
        self._form_tokens = FormTokens(server.issuer, key)
        base = urlsplit(server.issuer).path.rstrip("/")
        self._login_path = base + server.paths.login
        self._approve_path = base + server.paths.consent
        self._pages: Mapping[str, tuple[Page, Page]] = {
            self._login_path: (self._show_login, self._sign_in),
            self._approve_path: (self._show_approve, self._decide),
        }

    def owns(self, path: str) -> bool:
        """Tell whether a path is one of the pages'."""
        return path in self._pages

    def login_of(self, request: Request) -> Login | None:
        """Give who is signed in, for the authorization endpoint to know."""
        session = self._sessions.read(request)
        return None if session is None else session.login

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request to one of the pages; whatever arrives, a response leaves."""
        show, submit = self._pages[request.path]
        match request.method:
            case "GET" | "HEAD":
                page = show
            case "POST":
                page = submit
            case _:
                return settled(Response(405, (("Allow", "GET, HEAD, POST"),)))
        return transact(lambda: _outcome(page(request)), self._refuse)

    def _show_login(self, request: Request) -> Flow[Response]:
        handle = query_of(request).need("interaction")
        session = self._sessions.read(request)
        login = None if session is None else session.login
        pending = yield from self._pending(handle, login)
        if login is not None and pending.need is not Need.LOGIN:
            return self._send_to(self._approve_path, handle)
        return self._login_page(handle, session, pending)

    def _sign_in(self, request: Request) -> Flow[Response]:
        form = Form.of(request)
        handle = form.need("interaction")
        session = self._form_tokens.check(form.get("csrf"), self._sessions.read(request), handle)
        username = form.get("username")
        subject = yield from authenticate(username, Secret(form.get("password")))
        if subject is None:
            pending = yield from self._pending(handle, None)
            return self._login_page(handle, session, pending, username, failed=True)
        signed_in = self._sessions.sign_in(username, subject)
        assert signed_in.login is not None
        response = yield from self._server.finish(handle, signed_in.login)
        return self._remembering(signed_in, response)

    def _show_approve(self, request: Request) -> Flow[Response]:
        handle = query_of(request).need("interaction")
        session = self._sessions.read(request)
        if session is None or session.signed_in is None:
            return self._send_to(self._login_path, handle)
        pending = yield from self._pending(handle, session.login)
        if pending.need is Need.LOGIN:
            return self._send_to(self._login_path, handle)
        # Also where nothing is needed, as consent given in another tab: going on is not for a GET to decide.
        hidden = self._hidden(self._approve_path, handle, session)
        return self._looks.approve(hidden, pending, session.signed_in.username)

    def _decide(self, request: Request) -> Flow[Response]:
        form = Form.of(request)
        handle = form.need("interaction")
        session = self._form_tokens.check(form.get("csrf"), self._sessions.read(request), handle)
        match form.get("approval"):
            case "0":
                return (yield from self._server.deny(handle))
            case "1":
                return (yield from self._allow(form, handle, session))
            case _:
                raise InvalidRequest("approval is neither 0 nor 1")

    def _allow(self, form: Form, handle: str, session: Session) -> Flow[Response]:
        if session.login is None:
            return self._send_to(self._login_path, handle)
        # No checkbox ticked is what a browser sends of a form without any, too: only the marker tells them apart.
        scope = form.all("scope")
        if not form.get("scopes_shown"):
            pending = yield from self._server.interaction(handle, session.login)
            scope = () if pending is None else pending.scope.tokens
        return (yield from self._server.finish(handle, session.login, scope))

    def _pending(self, handle: str, login: Login | None) -> Flow[PendingInteraction]:
        pending = yield from self._server.interaction(handle, login)
        if pending is None:
            raise InvalidRequest("the interaction is unknown, has expired, or waits for nothing")
        return pending

    def _login_page(
        self,
        handle: str,
        session: Session | None,
        pending: PendingInteraction,
        username: str = "",
        *,
        failed: bool = False,
    ) -> Response:
        known = session or self._sessions.begin()
        hidden = self._hidden(self._login_path, handle, known)
        page = self._looks.login(hidden, pending, username, failed=failed)
        return page if session is not None else self._remembering(known, page)

    def _hidden(self, action: str, handle: str, session: Session) -> Hidden:
        return Hidden(action=action, interaction=handle, csrf=self._form_tokens.make(session, handle))

    def _remembering(self, session: Session, response: Response) -> Response:
        return attrs.evolve(response, headers=(*response.headers, self._sessions.cookie(session)))

    def _send_to(self, path: str, handle: str) -> Response:
        return see_other(f"{path}?interaction={quote(handle, safe='')}")

    def _refuse(self, error: OAuthError, cause: BaseException | None) -> Response:
        return refuse_as_page(error, self._looks.error, cause)


def _outcome(page: Flow[Response]) -> Flow[Outcome]:
    """Give a page's response the form that the core's only commit takes; there is nothing to commit."""
    response = yield from page
    return Outcome(response)
