"""What every page needs besides the request: its server, the templates, the session, and the paths of the others."""

from __future__ import annotations

from typing import Self
from urllib.parse import quote

import attrs

from oauthcore import AuthorizationServer, ConfigurationError, Login, PendingInteraction, Request, Response
from oauthcore.errors import InteractionOver, OAuthError
from oauthcore.flow.effects import Flow
from oauthcore.oidc.session import session_of, still_signed_in
from oauthcore.wire.http import see_other
from oauthcore.wire.refusals import ErrorPage, RenderErrorPage, refuse_as_page
from oauthcore_pages.form import Form
from oauthcore_pages.form_token import ForgedForm, FormTokens
from oauthcore_pages.rendering import Hidden, Templates
from oauthcore_pages.session import Session, Sessions


@attrs.frozen(kw_only=True)
class PagePaths:
    """Hold the paths of the pages, each including the issuer's own path."""

    login: str
    approve: str
    account: str
    logout: str
    # Where codes of devices are entered; blank where the server has none.
    device: str = ""
    # Where users answer what clients ask in the background (CIBA); blank where the server has none.
    requests: str = ""

    @classmethod
    def below(cls, server: AuthorizationServer, account: str, logout: str, requests: str = "/requests") -> Self:
        """Put the pages below the server's issuer; raises `ConfigurationError` for impossible paths."""
        if server.paths.interaction is not None:
            raise ConfigurationError("paths.interaction", server.paths.interaction, "leave it out: these are the pages")
        if server.openid is not None and logout != server.paths.logout:
            raise ConfigurationError("paths.logout", logout, "set the same path in the server's Paths")
        paths = {"login": server.paths.login, "approve": server.paths.consent, "account": account, "logout": logout}
        if server.device is not None:
            paths["device"] = server.paths.device
        if server.ciba is not None:
            paths["requests"] = requests
        for name in [name for name in ("account", "logout", "requests") if name in paths]:
            path = paths[name]
            if not path.startswith("/") or set(path) & set("?# \\") or not path.isprintable():
                raise ConfigurationError(f"paths.{name}", path, "start it with / and leave out ? # \\ and spaces")
            if list(paths.values()).count(path) > 1 or server.owns(server.base + path):
                raise ConfigurationError(f"paths.{name}", path, "give each page a path of its own")
        return cls(**{name: server.base + path for name, path in paths.items()})


@attrs.frozen(kw_only=True)
class PageContext:
    """Hold what is the same for every request."""

    server: AuthorizationServer
    templates: Templates
    sessions: Sessions
    form_tokens: FormTokens
    paths: PagePaths
    remember: bool = True


@attrs.frozen
class Visit:
    """Hold one request to a page, with its session and language."""

    around: PageContext
    request: Request
    session: Session | None
    language: str

    @classmethod
    def of(cls, request: Request, around: PageContext) -> Self:
        """Return the visit of a request."""
        language = around.templates.language(request.header("accept-language"))
        return cls(around, request, around.sessions.read(request), language)

    def believed(self) -> Flow[Visit]:
        """Return the visit, without a user if the login session of its cookie has ended."""
        if self.session is None or self.login is None:
            return self
        known = yield from session_of(self.login)
        if still_signed_in(self.login, known, int(self.around.sessions.clock())) is not None:
            return self
        return attrs.evolve(self, session=attrs.evolve(self.session, signed_in=None))

    @property
    def login(self) -> Login | None:
        """Return the user who is signed in."""
        return None if self.session is None else self.session.login

    @property
    def error_page(self) -> RenderErrorPage:
        """Return what renders a refusal in the visitor's language."""
        return lambda page: self.error(page)

    def error(self, page: ErrorPage, retry_url: str | None = None) -> Response:
        """Return the page for a refused request."""
        return self.around.templates.error(page, self.language, retry_url)

    def refuse(self, error: OAuthError, cause: BaseException | None) -> Response:
        """Return the page for a refused form, with a link to a new form if it was only out of date."""
        retry_url = error.retry_url if isinstance(error, ForgedForm) else None
        return refuse_as_page(error, lambda page: self.error(page, retry_url), cause)

    def submitted(self, subject: str | None = None) -> tuple[Form, Session, str]:
        """Parse a form that was shown in this session; raises `ForgedForm` if it was not.

        `subject` is what its form token is bound to; None for the interaction that the form names.
        """
        form = Form.of(self.request)
        handle = form.get("interaction")
        bound = handle if subject is None else subject
        try:
            session = self.around.form_tokens.check(form.get("csrf"), self.session, bound)
        except ForgedForm as forged:
            if self.session is not None:
                forged.retry_url = self.send_to(self.request.path, handle).header("location")
            raise
        return form, session, handle

    def hidden(self, action: str, handle: str, session: Session, subject: str | None = None) -> Hidden:
        """Return the hidden fields of a form."""
        csrf = self.around.form_tokens.make(session, handle if subject is None else subject)
        return Hidden(action=action, interaction=handle, csrf=csrf)

    def pending(self, handle: str, login: Login | None) -> Flow[PendingInteraction]:
        """Return what an interaction waits for; raises `InteractionOver` if it can't be continued."""
        pending = yield from self.around.server.interactions.find(handle, login)
        if pending is None:
            raise InteractionOver("the interaction is unknown, has expired, or waits for nothing")
        return pending

    def remembering(self, session: Session, response: Response) -> Response:
        """Return the headers that set the session's cookie."""
        return attrs.evolve(response, headers=(*response.headers, self.around.sessions.cookie(session)))

    def send_to(self, path: str, handle: str = "") -> Response:
        """Redirect to another of these pages with the interaction; a URL is never taken from a request."""
        return see_other(f"{path}?interaction={quote(handle, safe='')}" if handle else path)
