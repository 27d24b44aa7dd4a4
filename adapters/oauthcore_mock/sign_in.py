"""The users of an issuer for tests sign in, consent, deny and sign out, without a page or on one.

The core redirects the browser to a page when it needs the user (`docs/embedding.md`, "Two pages"). Here the next user
in line answers at once, and the response to an authorization request is the redirect to the client. So any HTTP client
can act as the browser, even one without cookies.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import attrs

from oauthcore import AuthorizationServer, Login, Request, Response, World, run
from oauthcore.redirect_uri import form_encoded
from oauthcore.wire.http import Headers
from oauthcore.wire.parameters import cookie_of
from oauthcore_mock.device import answer_device, device_page, posted
from oauthcore_mock.form import decision_of, form_page, form_values, sign_out_page
from oauthcore_mock.people import Decision, People

COOKIE = "oauthcore-mock-session"
# An authorization takes at most six requests; more would be a loop.
MANY_STEPS = 12


@attrs.frozen
class _Browser:
    """The browser of one request: its cookies, and those that are set on the way."""

    cookies: Mapping[str, str]
    given: Headers = ()

    def take(self, response: Response) -> _Browser:
        """Return it with the cookies of a response added."""
        given = tuple(pair for pair in response.headers if pair[0] == "Set-Cookie")
        pairs = (value.partition(";")[0].partition("=") for _, value in given)
        return _Browser({**self.cookies, **{name: value for name, _, value in pairs}}, (*self.given, *given))

    @property
    def header(self) -> tuple[str, str]:
        """Return its cookies as a request header."""
        return ("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value))


@attrs.frozen
class _Walk:
    """Hold where a walk ended, and whether the user was asked on the way."""

    response: Response
    is_decided: bool


class SignIn:
    """Answer the requests of one issuer on behalf of its users."""

    def __init__(self, server: AuthorizationServer, world: World, people: People) -> None:
        self._server = server
        self._world = world
        self._people = people
        self._sessions: dict[str, Login] = {}
        paths = server.paths
        self._authorization = server.base + paths.authorization
        self._pages = {server.base + paths.login, server.base + paths.consent}
        self._logout = server.base + paths.logout
        self._device = server.base + paths.device
        self._end_session = server.base + paths.end_session

    def answer(self, request: Request, decided: Decision | None, *, shows_form: bool) -> Response:
        """Answer a request, and let a user act if the core redirects to a page."""
        if request.path == self._logout:
            is_asked = shows_form and request.method == "GET"
            return sign_out_page(_parameter(request, "logout")) if is_asked else self._sign_out(request)
        if request.path == self._end_session:
            return self._walk(request, self._default, shows_form=shows_form).response
        if request.path == self._device:
            return self._at_device_page(request, decided, shows_form=shows_form)
        if request.path not in {self._authorization, *self._pages}:
            return self._core(request, self._login_of(request))
        queued = None if decided is not None else self._people.take_next()
        if shows_form and queued is None:
            return self._with_form(request)
        walk = self._authorized(request, decided or queued)
        if queued is not None and not walk.is_decided:
            # The request was refused before a user decided: that decision is kept for the next one.
            self._people.put_back(queued)
        return walk.response

    @property
    def _default(self) -> Decision:
        return Decision(user=self._people.default)

    def _authorized(self, request: Request, explicit: Decision | None) -> _Walk:
        """Answer an authorization request by the user's decision, or the default one."""
        if "none" in _parameter(request, "prompt").split(" "):
            return self._without_page(request, explicit)
        # A decision that a test has queued is always used, even if consent is remembered.
        return self._walk(request, explicit or self._default, is_asked=explicit is not None)

    def _without_page(self, request: Request, explicit: Decision | None) -> _Walk:
        """Answer prompt=none (OIDC Core section 3.1.2.1) for the user who is signed in, or is to sign in."""
        login = self._login_of(request)
        cookie: Headers = ()
        if explicit is not None:
            login, cookie = self._begin(explicit, login)
        response = self._core(request, login)
        if login is not None and "error=consent_required" in (response.header("location") or ""):
            # The user always allows it: recorded as earlier consent, since no page may be shown now.
            query = [(name, value) for name, value in parse_qsl(request.query) if name != "prompt"]
            earlier = Request("GET", f"{request.path}?{form_encoded(query)}", (self._cookie_for(login),))
            _ = self._walk(earlier, Decision(user=self._people.find(login.subject)))
            response = self._core(request, login)
        return _Walk(_with(response, cookie), is_decided=explicit is not None)

    def _walk(self, request: Request, decided: Decision, *, shows_form: bool = False, is_asked: bool = False) -> _Walk:
        """Follow the issuer's own redirects until one leaves it, and decide on the way."""
        browser = _Browser(_cookies_of(request))
        login = None if is_asked else self._login_of(request)
        response, is_decided = self._core(request, login), False
        for _ in range(MANY_STEPS):
            browser = browser.take(response)
            location = response.header("location") or ""
            if not self._is_ours(location):
                break
            request = Request("GET", location, (browser.header,), b"", request.peer)
            if request.path in self._pages:
                (response, login), is_decided = self._decide(request, decided, login), True
            elif request.path == self._logout:
                response = sign_out_page(_parameter(request, "logout")) if shows_form else self._sign_out(request)
            else:
                response = self._core(request, login)
        own = tuple(pair for pair in response.headers if pair[0] != "Set-Cookie")
        given = tuple(dict.fromkeys(browser.take(response).given))
        return _Walk(attrs.evolve(response, headers=(*own, *given)), is_decided=is_decided)

    def _decide(self, request: Request, decided: Decision, login: Login | None) -> tuple[Response, Login | None]:
        """Act as the application's page: report the login and the consent."""
        handle, login_page = _parameter(request, "interaction"), self._server.base + self._server.paths.login
        cookie: Headers = ()
        if login is None or login.subject != decided.user.sub or request.path == login_page:
            login, cookie = self._begin(decided, login)
        interactions = self._server.interactions
        if decided.denies:
            return _with(run(interactions.deny(handle, login), self._world), cookie), login
        pending = run(interactions.find(handle, login), self._world)
        scope = None
        if pending is not None:
            scope = [token for token in pending.scope if decided.scope is None or token in decided.scope]
        return _with(run(interactions.finish(handle, login, scope), self._world), cookie), login

    def _with_form(self, request: Request) -> Response:
        """Show the form to choose a user on, and read the answer."""
        if request.path == self._authorization:
            return self._core(request, self._login_of(request))
        login = self._login_of(request)
        if request.method == "POST":
            values = form_values(request)
            decided = decision_of(values, self._people)
            if isinstance(decided, Decision):
                request = Request("GET", f"{request.path}?interaction={values.get('interaction', '')}", request.headers)
                response, _ = self._decide(request, decided, login)
                return response
            return form_page(values.get("interaction", ""), None, self._people, decided)
        handle = _parameter(request, "interaction")
        return form_page(handle, run(self._server.interactions.find(handle, login), self._world), self._people)

    def _at_device_page(self, request: Request, decided: Decision | None, *, shows_form: bool) -> Response:
        """Let a user answer a device (RFC 8628 section 3.3), at once if the code is in the URL and no page is shown."""
        if request.method == "POST":
            code, chosen = posted(request, self._people)
            if isinstance(chosen, str):
                return device_page(code, self._people, chosen)
        else:
            code = _parameter(request, "user_code")
            if not code or shows_form:
                return device_page(code, self._people)
            chosen = decided or self._people.take_next() or self._default
        login, cookie = self._begin(chosen, self._login_of(request))
        return _with(answer_device(self._server, self._world, self._people, request, code, login, chosen), cookie)

    def _sign_out(self, request: Request) -> Response:
        """End the session of this browser, and redirect it (OIDC RP-Initiated Logout section 2)."""
        name = cookie_of(request, COOKIE)
        login = None if name is None else self._sessions.pop(name, None)
        handle = _parameter(request, "logout") or None
        response = run(self._server.sessions.sign_out(request, login, handle), self._world)
        return _with(response, (("Set-Cookie", f"{COOKIE}=; Path={self._server.base}/; Max-Age=0"),))

    def _begin(self, decided: Decision, before: Login | None) -> tuple[Login, Headers]:
        """Sign a user in, and return the cookie that identifies their browser from now on."""
        signing_in = self._server.sessions.sign_in(
            decided.user.sub,
            auth_time=decided.auth_time,
            acr=decided.acr,
            amr=decided.amr,
            before=None if before is None else before.sid,
        )
        login = run(signing_in, self._world)
        name = secrets.token_urlsafe(24)
        self._sessions[name] = login
        return login, (("Set-Cookie", f"{COOKIE}={name}; Path={self._server.base}/; HttpOnly; SameSite=Lax"),)

    def _core(self, request: Request, login: Login | None) -> Response:
        return run(self._server.handle(request, login), self._world)

    def _login_of(self, request: Request) -> Login | None:
        name = cookie_of(request, COOKIE)
        return None if name is None else self._sessions.get(name)

    def _cookie_for(self, login: Login) -> tuple[str, str]:
        name = next(name for name, known in self._sessions.items() if known == login)
        return ("cookie", f"{COOKIE}={name}")

    def _is_ours(self, location: str) -> bool:
        issuer = urlsplit(self._server.issuer)
        where = urlsplit(location)
        is_same_host = not where.netloc or (where.scheme, where.netloc) == (issuer.scheme, issuer.netloc)
        known = {*self._pages, self._logout, *self._server.endpoint_paths}
        return is_same_host and where.path in known


def _with(response: Response, more: Headers) -> Response:
    return attrs.evolve(response, headers=(*response.headers, *more)) if more else response


def _parameter(request: Request, name: str) -> str:
    """Return a parameter of the query or the posted form; blank if there is none."""
    pairs = parse_qsl(request.query)
    if request.method == "POST":
        pairs += parse_qsl(request.body.decode("utf-8", "replace"))
    return dict(pairs).get(name, "")


def _cookies_of(request: Request) -> dict[str, str]:
    pieces = (piece.strip(" ").partition("=") for piece in (request.header("cookie") or "").split(";"))
    return {name: value for name, _, value in pieces if name}
