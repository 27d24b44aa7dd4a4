"""What the browser tests share: Debian's Chromium, a server as an operator has it, and a client that hears answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.h11.installation import Installation, Running
from tests.processes import PATIENCE

CHROMIUM = shutil.which("chromium")
# Nothing of it leaves this machine: the clients' host is one where nobody answers.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP firm.example 127.0.0.1:1",
]
SCREENSHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
SIZES = {"phone": {"width": 375, "height": 667}, "desktop": {"width": 1280, "height": 800}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests; where there is no Chromium they say so and are skipped."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium; install Debian's package chromium"))


class Callback(BaseHTTPRequestHandler):
    """Be where clients hear answers."""

    server: Clients

    def do_GET(self) -> None:  # the base class's name for it
        """Remember an answer, and say thank you."""
        if self.path != "/favicon.ico":
            self.server.answers.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Client</title><h1>Thank you</h1>")

    def do_POST(self) -> None:  # the base class's name for it
        """Remember a posted answer, as if it had come in the query, and say thank you."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.path = f"{self.path}?{body}"
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # type: ignore[explicit-override]  # 3.12's
        """Say nothing."""


class Clients(ThreadingHTTPServer):
    """Be the clients, on this machine."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Callback)
        self.answers: list[str] = []

    @property
    def url(self) -> str:
        """Return where they listen."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@attrs.frozen
class Site:
    """Be a server with two clients and a person."""

    running: Running
    clients: Clients

    def authorize_url(self, client_id: str = "app", **more: str) -> str:
        """Return the URL that a client sends a browser to."""
        query = {
            "client_id": client_id,
            "response_type": "code",
            "scope": "email profile",
            "state": f"state-of-{client_id}",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
            **more,
        }
        return f"{self.running.url}/authorize?{urlencode(query)}"

    def url(self, path: str) -> str:
        """Return a page's URL."""
        return self.running.url + path


CLIENTS = """
[pages]
session_lifetime = {session_lifetime}

[[clients]]
client_id = "app"
secret = "app-secret"
name = "The App"
organization_name = "Firm & Sons"
client_uri = "https://firm.example/"
redirect_uris = ["{clients}/app"]
scope = "email profile"

[[clients]]
client_id = "other"
secret = "other-secret"
name = "Other App"
redirect_uris = ["{clients}/other"]
scope = "email profile"
"""


# A client of OpenID Connect, beside those of OAuth alone; the tables make the server a provider.
RELYING_PARTY = """
[oidc]

[[clients]]
client_id = "rp"
secret = "rp-secret"
name = "The Relying Party"
redirect_uris = ["{clients}/rp"]
post_logout_redirect_uris = ["{clients}/goodbye"]
frontchannel_logout_uri = "{clients}/frontchannel"
frontchannel_logout_session_required = true
grant_types = ["authorization_code", "refresh_token", "implicit"]
response_types = ["code", "code id_token"]
scope = "openid email profile"
"""


def site_in(folder: Path, session_lifetime: int, tables: str = CLIENTS) -> Iterator[Site]:
    """Serve a site."""
    installation, clients = Installation(folder), Clients()
    installation.configure(tables.format(session_lifetime=session_lifetime, clients=clients.url))
    installation.run("user", "add", "alice", said="wonderland\n")
    thread = Thread(target=clients.serve_forever, args=(0.05,))
    thread.start()
    try:
        with installation.serving() as running:
            yield Site(running, clients)
    finally:
        clients.shutdown()
        thread.join(PATIENCE)
        clients.server_close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a site that is this test's alone."""
    yield from site_in(tmp_path, 3_600)


@pytest.fixture
def provider_site(tmp_path: Path) -> Iterator[Site]:
    """Return a site that is an OpenID Provider."""
    yield from site_in(tmp_path, 3_600, CLIENTS + RELYING_PARTY)


@pytest.fixture
def forgetful_site(tmp_path: Path) -> Iterator[Site]:
    """Return a site whose sessions are over after a second."""
    yield from site_in(tmp_path, 1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser. Not for the whole session: Playwright runs an event loop, and other tests have their own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a tab of a browser that has not been anywhere."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, username: str = "alice", password: str = "wonderland") -> None:
    """Fill in the login page, and send it."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def answer_of(page: Page, button: str, *, clicks: int = 1) -> dict[str, str]:
    """Click a button whose answer goes to the client; give what the client hears."""
    page.get_by_role("button", name=button, exact=True).click(click_count=clicks)
    return answer(page)


def answer(page: Page) -> dict[str, str]:
    """Wait until the browser is back at the client; give what the client hears."""
    expect(page.get_by_role("heading")).to_have_text("Thank you")
    return heard(page.url)


def heard(url: str) -> dict[str, str]:
    """Return the parameters that a client's URL was called with."""
    return dict(parse_qsl(urlsplit(url).query))
