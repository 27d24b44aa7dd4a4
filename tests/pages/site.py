"""A site with pages under test: server and pages over one world, and a browser that keeps its cookies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import attrs

from oauthcore import (
    Allowance,
    AuthorizationDetails,
    AuthorizationServer,
    Ciba,
    Client,
    ClientIdMetadata,
    DeviceGrant,
    Login,
    MemoryStorage,
    Paths,
    Request,
    Resources,
    Response,
    Secret,
    World,
    run,
)
from oauthcore.openid import OpenID
from oauthcore.signing.keys import KeySet
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_pages import Pages, Templates
from tests.pages.html import Page

ISSUER = "https://as.example"
REDIRECT = "https://client.example/callback"
KEY = bytes(range(32))
SECRET = "app-secret"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
APP = Client(
    client_id="app",
    name="The App",
    redirect_uris=(REDIRECT,),
    scope="email profile",
    allow={Allowance.CONFIDENTIAL_WITHOUT_PKCE},
)


@attrs.define
class Site:
    """Be one server with its pages, and one browser in front of them."""

    server: AuthorizationServer
    pages: Pages
    world: World
    clock: FixedClock
    cookies: dict[str, str] = attrs.Factory(dict)

    @property
    def clock_date(self) -> str:
        """Return today's date."""
        return datetime.fromtimestamp(self.clock.now, UTC).date().isoformat()

    def request(self, method: str, target: str, body: bytes = b"", *headers: tuple[str, str]) -> Response:
        """Send the browser somewhere; it sends its cookies and keeps new ones."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = Request(method, target, (("Cookie", cookie), *headers), body)
        if self.pages.owns(request.path):
            response = run(self.pages.handle(request), self.world)
        else:
            response = run(self.server.handle(request, self.pages.login_of(request)), self.world)
        for name, value in response.headers:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return response

    def get(self, target: str) -> Response:
        """Open a URL of the site."""
        return self.request("GET", target)

    def post(self, path: str, body: bytes) -> Response:
        """Send a form."""
        return self.request("POST", path, body, FORM)

    def authorize(self, client_id: str = "app", **more: str) -> str:
        """Begin an authorization; give where the page is that the browser is sent to."""
        query = {"client_id": client_id, "response_type": "code", "state": "s", **more}
        return location(self.get("/authorize?" + urlencode(query)))

    def sign_in(self, login_url: str, username: str = "alice", password: str = "wonderland") -> Response:
        """Open the login page, and submit it."""
        page = Page.in_(self.get(login_url))
        return self.post(path_of(login_url), page.submission(("username", username), ("password", password)))

    def approve_page(self, **more: str) -> Page:
        """Sign in, and give the approve page."""
        return Page.in_(self.get(location(self.sign_in(self.authorize(**more)))))

    def answered(self, response: Response) -> str:
        """Follow the answer of a page through the resume path; give where the client is told."""
        return location(self.get(location(response)))

    def login(self) -> Login | None:
        """Return who the pages say is signed in."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self.pages.login_of(Request("GET", "/", (("Cookie", cookie),)))


def make_site(
    *clients: Client,
    issuer: str = ISSUER,
    client: Client = APP,
    openid: OpenID | None = None,
    keys: KeySet | None = None,
    resources: Resources | None = None,
    client_id_metadata: ClientIdMetadata | None = None,
    device: DeviceGrant | None = None,
    ciba: Ciba | None = None,
    authorization_details: AuthorizationDetails | None = None,
    **settings: Any,
) -> Site:
    """Make a site with the app and more clients."""
    clock, entropy, templates = FixedClock(), SeededEntropy(), Templates()
    server = AuthorizationServer(
        issuer=issuer,
        clock=clock,
        entropy=entropy,
        token_key=KEY,
        paths=Paths(consent="/approve"),
        error_page=templates.error,
        openid=openid,
        keys=keys,
        resources=resources,
        client_id_metadata=client_id_metadata,
        device=device,
        ciba=ciba,
        authorization_details=authorization_details,
    )
    defaults: dict[str, Any] = {"key": KEY, "clock": clock, "entropy": entropy, "templates": templates}
    pages = Pages(server, **(defaults | settings))
    world = World(MemoryStorage(), authenticate=authenticate)
    for registered in (client, *clients):
        run(server.clients.register(registered, Secret(SECRET) if registered.has_secret else None), world)
    return Site(server, pages, world, clock)


def authenticate(username: str, password: Secret) -> str | None:
    """Know two people, whose subjects are not their names."""
    passwords = {"alice": "wonderland", "bob": " päss word "}
    return f"subject-of-{username}" if passwords.get(username) == password.reveal() else None


def location(response: Response) -> str:
    """Return where a response redirects to."""
    found = response.header("location")
    assert found is not None, (response, response.body)
    return found


def path_of(target: str) -> str:
    """Return a target's path."""
    return target.partition("?")[0]
