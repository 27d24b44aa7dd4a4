"""A client of the server's and the person who uses it, in one: it fills in whatever page it is shown."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.core.site import CHALLENGE, VERIFIER
from tests.hosts.site import REDIRECT
from tests.pages.html import Page

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
APP = ("app", "app-secret")


class Visitor:
    """Talk to one server of a host: `base` is where the host is, `prefix` where the server is in it."""

    def __init__(self, base: str, prefix: str, trust: ssl.SSLContext | None = None) -> None:
        self.base = base
        self.prefix = prefix
        self.trust = trust
        self.http = httpx.Client(base_url=base, trust_env=False, timeout=60, verify=trust or True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()

    def someone_else(self) -> Visitor:
        """Return another browser, at the same server."""
        return Visitor(self.base, self.prefix, self.trust)

    def asked(self, **changes: str | None) -> dict[str, str]:
        """Return an authorization request's parameters; None takes one out."""
        parameters: dict[str, str | None] = {
            "client_id": "app",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "profile email",
            "state": "s t%ä&=+",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Get a path below the server's prefix."""
        return self.http.get(self.prefix + path, headers={name.replace("_", "-"): v for name, v in headers.items()})

    def authorize(self, **changes: str | None) -> httpx.Response:
        """Make an authorization request, and follow no redirect."""
        return self.get(f"/authorize?{urlencode(self.asked(**changes))}")

    def page(self, response: httpx.Response) -> httpx.Response:
        """Follow redirects to the next page, or to the one that leads to the client."""
        while response.has_redirect_location and response.headers["location"].startswith("/"):
            response = self.http.get(response.headers["location"])
        return response

    def submit(self, shown: httpx.Response, *, allow: bool = True, csrf: str | None = None) -> httpx.Response:
        """Fill in a page's form and send it: sign in, or answer."""
        page = Page.of(shown.text)
        more: list[tuple[str, str]] = []
        if "password" in page.form:
            more = [("username", "alice"), ("password", "wonderland")]
        else:
            yes = next((name, value) for name, value in page.buttons if value == "1")
            no = next((name, value) for name, value in page.buttons if name == yes[0] and value != "1")
            # As browsers do: a hidden field beside checkboxes of its name is sent as well.
            hidden = [field for field in page.fields if field[0] == "scope"]
            more = [*hidden, *page.checkboxes, yes if allow else no]
        if csrf is not None:
            more.append((next(name for name in page.form if "csrf" in name), csrf))
        return self.http.post(page.action or str(shown.url), content=page.submission(*more), headers=FORM)

    def walk(self, response: httpx.Response, *, allow: bool = True) -> httpx.Response:
        """Go through all pages, to the response that leads to the client."""
        response = self.page(response)
        while response.status_code == 200 and 'type="hidden"' in response.text and REDIRECT not in response.text:
            response = self.page(self.submit(response, allow=allow))
        return response

    def answer(self, *, allow: bool = True, **changes: str | None) -> dict[str, str]:
        """Make an authorization request, go through all pages, and give what the client is told."""
        response = self.walk(self.authorize(**changes), allow=allow)
        assert response.has_redirect_location, (response.status_code, response.text)
        return answered(response.headers["location"])

    def metadata(self, method: str = "GET") -> httpx.Response:
        """Ask for the metadata, which is at the root of the host."""
        path, host = "/.well-known/oauth-authorization-server", {"Host": "prefix.example"}
        found = self.http.request(method, path + self.prefix)
        # Where the prefix is not the issuer's, the issuer is told by the host's name.
        return found if found.status_code != 404 else self.http.request(method, path, headers=host)

    def token(self, auth: tuple[str, str] | None = APP, **form: str) -> httpx.Response:
        """Make a token request."""
        return self.http.post(f"{self.prefix}/token", data=form, auth=auth or httpx.USE_CLIENT_DEFAULT)

    def redeem(self, code: str, auth: tuple[str, str] | None = APP, **changes: str) -> httpx.Response:
        """Redeem a code."""
        form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER} | changes
        return self.token(auth, code=code, **form)

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Walk all the way, and give the token response."""
        response = self.redeem(answered(self.walk(self.authorize(**changes)).headers["location"])["code"])
        assert response.status_code == 200, response.text
        granted: dict[str, Any] = response.json()
        return granted

    def me(self, authorization: str | None, query: str = "") -> httpx.Response:
        """Ask for the protected route, which is at the root of an example."""
        headers = {} if authorization is None else {b"Authorization": authorization.encode("latin-1")}
        return self.http.get(self.me_path + query, headers=headers)

    @property
    def me_path(self) -> str:
        """Return where the protected route is."""
        return self.prefix + "/me"

    def raw(self, request: bytes) -> bytes:
        """Send bytes and nothing more; give all that comes back until the server hangs up."""
        with self.connection() as connection:
            connection.sendall(request)
            return received(connection)

    def connection(self) -> socket.socket:
        """Open a connection."""
        parts = urlsplit(self.base)
        connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
        return connection if self.trust is None else self.trust.wrap_socket(connection, server_hostname="127.0.0.1")


class ExampleVisitor(Visitor):
    """Talk to an example, whose protected route is not below the server."""

    @property
    def me_path(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return where the protected route is."""
        return "/me"

    def someone_else(self) -> Visitor:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return another browser, at the same server."""
        return ExampleVisitor(self.base, self.prefix, self.trust)


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the other side hangs up; however it does."""
    pieces = []
    try:
        while piece := connection.recv(65_536):
            pieces.append(piece)
    except (ConnectionError, ssl.SSLError, TimeoutError):
        pass
    return b"".join(pieces)


def answered(location: str) -> dict[str, str]:
    """Return the parameters of a URL at the client."""
    assert location.startswith(REDIRECT), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True))
