"""What another host of the domain can put into a browser, and what this server makes of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode, urlsplit

import attrs
import pytest
import trustme
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as NothingThere

from oauthcore_pages.session import cookie_name
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.hosts.hosts import BARE
from tests.hosts.tls_proxy import tls_proxy
from tests.hosts.visitor import Visitor
from tests.processes import PATIENCE

HOST, SIBLING = "as.example", "sibling.as.example"
SESSION = cookie_name("oauthcore-session", f"https://{HOST}/tls")


class Planting(BaseHTTPRequestHandler):
    """Be another host of the domain: set what cookie it is told to, and remember what cookies it is sent."""

    server: Sibling

    def do_GET(self) -> None:  # the base class's name for it
        """Plant a cookie, or remember those that came."""
        self.send_response(200)
        if self.path == "/plant":
            self.send_header("Set-Cookie", self.server.planted.decode("latin-1"))
        elif self.path == "/":
            self.server.sent = self.headers.get("Cookie", "").encode("latin-1")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # type: ignore[explicit-override]  # 3.12's
        """Say nothing."""


class Sibling(ThreadingHTTPServer):
    """Be that host's server."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Planting)
        self.planted = b""
        self.sent = b""


@attrs.frozen
class Domain:
    """Hold a domain with two hosts, the authorization server's and another, and a browser that finds both."""

    visitor: Visitor
    sibling: Sibling
    page: Page

    def session(self) -> str:
        """Return a session of who signs in here, by their own browser."""
        self.visitor.answer()
        return next(cookie.value or "" for cookie in self.visitor.http.cookies.jar if cookie.name == SESSION)

    def plant(self, cookie: bytes) -> bytes:
        """Have the other host set a cookie; return the header Cookie that the browser then sends to this domain."""
        self.sibling.planted = cookie
        self.page.goto(f"https://{SIBLING}/plant")
        self.page.goto(f"https://{SIBLING}/")
        return self.sibling.sent

    def authorized(self) -> str:
        """Return what the client is told when it asks silently."""
        query = urlencode(self.visitor.asked(prompt="none"))
        # The browser is sent on to the client, where nobody answers.
        with self.page.expect_request("https://app.example/**") as told, suppress(NothingThere):
            self.page.goto(f"https://{HOST}/tls/authorize?{query}", wait_until="commit")
        return urlsplit(told.value.url).query


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    """Serve a domain, and browse it."""
    sibling, authority = Sibling(), trustme.CA()
    thread = Thread(target=sibling.serve_forever, args=(0.05,))
    thread.start()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with (
        BARE[0].serving(tmp_path) as port,
        tls_proxy(authority, port) as secure,
        tls_proxy(authority, sibling.server_address[1]) as secure_sibling,
        sync_playwright() as playwright,
    ):
        rules = f"MAP {HOST} 127.0.0.1:{secure}, MAP {SIBLING} 127.0.0.1:{secure_sibling}, MAP * 127.0.0.1:1"
        flags = [flag for flag in FLAGS if not flag.startswith("--host-resolver-rules")]
        launched: Browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*flags, f"--host-resolver-rules={rules}"]
        )
        context = launched.new_context(ignore_https_errors=True)
        context.set_default_timeout(20_000)
        with Visitor(f"https://127.0.0.1:{secure}", "/tls", trust) as visitor:
            yield Domain(visitor, sibling, context.new_page())
        launched.close()
    sibling.shutdown()
    thread.join(PATIENCE)
    sibling.server_close()


# What Python's `str.strip` takes for white space, and Chromium for a letter of a cookie's name.
WHITE = [b"\xa0", b"\x85", "\u00a0".encode()]


@pytest.mark.parametrize("white", WHITE, ids=repr)
def test_another_host_of_the_domain_signs_nobody_in(domain: Domain, white: bytes) -> None:
    """RFC 6265bis section 4.1.3.2."""
    name = white + SESSION.encode()

    sent = domain.plant(name + f"={domain.session()}; Domain={HOST}; Path=/; Secure".encode())

    assert sent.startswith(name + b"="), "the browser does not send it as it was planted: this test tests nothing"
    assert "error=login_required" in domain.authorized()


def test_a_session_of_the_hosts_own_signs_in(domain: Domain) -> None:
    value = domain.session()
    domain.page.context.add_cookies([{"name": SESSION, "value": value, "url": f"https://{HOST}/"}])

    assert "code=" in domain.authorized()


def test_the_browser_lets_another_host_plant_no_cookie_of_that_name(domain: Domain) -> None:
    """RFC 6265bis section 5.7: neither with a domain, nor as a value that has no name."""
    for cookie in (f"{SESSION}=x", f"={SESSION}=x", f"\t{SESSION}=x"):
        assert domain.plant(f"{cookie}; Domain={HOST}; Path=/; Secure".encode()) == b""
