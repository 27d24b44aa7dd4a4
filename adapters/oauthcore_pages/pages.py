"""The pages as flows: the first application of the core's contract for interactions.

The core redirects the browser to the login or the approve page with an interaction's handle. The page reports the
user's answer by `finish` or `deny`, and returns their response to the browser. The only state of the pages is the
login, in a cookie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from oauthcore import AuthorizationServer, ConfigurationError, Login, Request, Response
from oauthcore.clock import Clock
from oauthcore.entropy import Entropy
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.flow.transact import transact
from oauthcore.given import check_kind
from oauthcore.wire.refusals import RenderErrorPage
from oauthcore_pages.account import show_account, show_logout, sign_out, take_back
from oauthcore_pages.approve import decide, show_approve
from oauthcore_pages.device import show_device, submit_device
from oauthcore_pages.form_token import FormTokens
from oauthcore_pages.login import show_login, sign_in
from oauthcore_pages.page_context import PageContext, PagePaths, Visit
from oauthcore_pages.rendering import Templates
from oauthcore_pages.requests import answer_request, show_requests
from oauthcore_pages.session import Sessions, SignedIn

MINIMUM_KEY = 32

Page: TypeAlias = Callable[[Visit], Flow[Response]]


class Pages:
    """The login and approve pages of a server, at its paths for them, and the account page.

    `key` is at least 32 secret random bytes, the same for every worker. A username and password are verified by the
    `Authenticate` effect, which the world answers that runs the flows. `session_lifetime`, in seconds, is how long a
    user stays signed in. `account`, `logout` and `requests` are paths below the issuer; by default `logout` is the
    server's own. `home` is its root. With `remember`, consent is remembered unless the user unticks it; without, only
    if they tick it.

    Raises `ConfigurationError` for impossible settings.
    """

    def __init__(
        self,
        server: AuthorizationServer,
        *,
        key: bytes,
        clock: Clock,
        entropy: Entropy,
        templates: Templates | None = None,
        session_lifetime: int = 8 * 3_600,
        account: str = "/account",
        logout: str | None = None,
        requests: str = "/requests",
        remember: bool = True,
    ) -> None:
        check_kind("key", key, (bytes, bytearray), "give bytes, as secrets.token_bytes(32) makes them")
        if len(key) < MINIMUM_KEY:
            raise ConfigurationError("key", f"{len(key)} bytes", "use 32 random bytes or more")
        if session_lifetime < 1:
            raise ConfigurationError("session_lifetime", session_lifetime, "use a number of seconds, 1 or more")
        self.paths = PagePaths.below(server, account, logout or server.paths.logout, requests)
        self.home = server.base + "/"
        self._around = PageContext(
            server=server,
            templates=templates or Templates(),
            sessions=Sessions(server.issuer, clock, entropy, session_lifetime, key),
            form_tokens=FormTokens(server.issuer, key),
            paths=self.paths,
            remember=remember,
        )
        self._pages: Mapping[str, tuple[Page, Page]] = {
            self.paths.login: (show_login, sign_in),
            self.paths.approve: (show_approve, decide),
            self.paths.account: (show_account, take_back),
            self.paths.logout: (show_logout, sign_out),
        }
        if self.paths.device:
            self._pages = {**self._pages, self.paths.device: (show_device, submit_device)}
        if self.paths.requests:
            self._pages = {**self._pages, self.paths.requests: (show_requests, answer_request)}

    @property
    def all_paths(self) -> tuple[str, ...]:
        """Return the paths of the pages, for a host's routing."""
        return tuple(self._pages)

    def owns(self, path: str) -> bool:
        """Return whether a path is one of the pages'."""
        return path in self._pages

    def login_of(self, request: Request) -> Login | None:
        """Return the login of a request, for the authorization endpoint."""
        session = self._around.sessions.read(request)
        return None if session is None else session.login

    def signed_in(self, request: Request) -> SignedIn | None:
        """Return the login of a request with the username, for a host that checks whether the user may sign in."""
        session = self._around.sessions.read(request)
        return None if session is None else session.signed_in

    def as_nobody(self, request: Request) -> Request:
        """Return the request without its session, for a host that has found that the user may no longer sign in."""
        return self._around.sessions.without(request)

    def error_page(self, request: Request) -> RenderErrorPage:
        """Return what renders a refusal of that request in the user's language."""
        return lambda page: Visit.of(request, self._around).error(page)

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request to one of the pages; any request gets a response."""
        show, submit = self._pages[request.path]
        match request.method:
            case "GET" | "HEAD":
                page = show
            case "POST":
                page = submit
            case _:
                return pure(Response(405, (("Allow", "GET, HEAD, POST"), ("Content-Type", "text/plain"))))
        visit = Visit.of(request, self._around)
        return transact(lambda: _outcome(page, visit), visit.refuse)


def _outcome(page: Page, visit: Visit) -> Flow[Outcome]:
    """Wrap a page's response in an `Outcome` without changes, for the core's only commit."""
    believed = yield from visit.believed()
    response = yield from page(believed)
    return Decision(response)
