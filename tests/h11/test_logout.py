"""Logout over real sockets: a client's server on the loopback interface hears of it, also after a kill."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs
import httpx
import pytest
from typing_extensions import override

from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set
from oauthcore.oidc.logout_token import EVENT
from tests.h11.installation import Installation, Running
from tests.pages.html import Page
from tests.processes import PATIENCE

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ISSUER = "http://localhost:8000"


@attrs.frozen
class Rp:
    """Be a client's server: what is posted to it is kept, and taken."""

    port: int
    observed: Queue[str]

    @property
    def callback(self) -> str:
        """Return its redirect URI."""
        return f"http://127.0.0.1:{self.port}/cb"


@pytest.fixture
def rp() -> Iterator[Rp]:
    """Serve a client on a free port."""
    observed: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            observed.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield Rp(server.server_address[1], observed)
    server.shutdown()
    thread.join(PATIENCE)
    server.server_close()


@pytest.fixture
def installation(tmp_path: Any, rp: Rp) -> Installation:
    """Return a provider with the client and one person."""
    made = Installation(tmp_path)
    made.configure("[oidc]", "[outgoing]", 'private_hosts = ["127.0.0.1"]')
    made.run("user", "add", "alice", "--subject", "s-1", said="wonderland\n")
    client = ("--scope", "openid", "--redirect-uri", rp.callback, "--backchannel-logout-uri", f"{rp.callback}/bcl")
    front = ("--frontchannel-logout-uri", f"{rp.callback}/front", "--post-logout-redirect-uri", f"{rp.callback}/bye")
    made.run("client", "add", "rp", "--public", *client, *front)
    return made


def signed_in(http: httpx.Client, rp: Rp) -> str:
    """Sign in and allow the client an ID token; give where the browser ends."""
    asked = {
        "client_id": "rp",
        "response_type": "code",
        "redirect_uri": rp.callback,
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    response = http.get("/authorize?" + urlencode(asked))
    while not (response.headers.get("location") or "").startswith(rp.callback):
        if response.has_redirect_location:
            response = http.get(response.headers["location"])
        else:
            page = Page.of(response.text)
            word = {"username": "alice", "password": "wonderland"} if "password" in page.form else {"approval": "1"}
            response = http.post(page.action or "", content=page.submission(*word.items()), headers=FORM)
    return str(response.headers["location"])


def redeemed(http: httpx.Client, rp: Rp, location: str) -> dict[str, Any]:
    """Redeem the code."""
    code = parse_qs(urlsplit(location).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "client_id": "rp", "redirect_uri": rp.callback}
    answer = http.post("/token", data=form | {"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def browser_at(running: Running) -> httpx.Client:
    """Return a browser."""
    return httpx.Client(base_url=running.url, trust_env=False)


def verified(http: httpx.Client, token: str) -> dict[str, Any]:
    """Verify a token as a client does, by the published keys."""
    keys = parse_set(http.get("/jwks").content)
    found = crypto.verify(token, keys, ["RS256"])
    return {**found.claims, "typ": found.header["typ"]}


@pytest.mark.slow
def test_a_client_hears_of_the_logout_that_it_asked_for(installation: Installation, rp: Rp) -> None:
    with installation.serving() as running, browser_at(running) as http:
        tokens = redeemed(http, rp, signed_in(http, rp))
        id_token = verified(http, tokens["id_token"])
        asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{rp.callback}/bye", "state": "s"}

        sent = http.get("/end-session?" + urlencode(asked))
        page = Page.of(http.get(sent.headers["location"]).text)
        (told,) = parse_qs(rp.observed.get(timeout=PATIENCE))["logout_token"]
        claims = verified(http, told)
        account = http.get("/account")

    assert [found["src"] for tag, found in page.tags if tag == "iframe"] == [
        f"{rp.callback}/front?iss=http%3A%2F%2Flocalhost%3A8000&sid={id_token['sid']}"
    ]
    assert f"{rp.callback}/bye?state=s" in page.text
    assert (claims["iss"], claims["aud"], claims["sub"], claims["typ"]) == (ISSUER, "rp", "s-1", "logout+jwt")
    assert (claims["sid"], claims["events"]) == (id_token["sid"], {EVENT: {}})
    assert "nonce" not in claims
    assert account.headers["location"] == "/login"


@pytest.mark.slow
def test_what_is_to_be_told_is_told_after_a_kill_too(installation: Installation, rp: Rp) -> None:
    with installation.serving() as running, browser_at(running) as http:
        signed_in(http, rp)
        running.kill()
    installation.run("user", "set-password", "alice", said="looking-glass\n")

    with installation.serving("--workers", "2") as again, browser_at(again) as http:
        (told,) = parse_qs(rp.observed.get(timeout=PATIENCE))["logout_token"]
        claims = verified(http, told)
        again.tell(signal.SIGTERM)
        assert again.exit_status() == 0

    assert claims["sub"] == "s-1"
    assert rp.observed.empty()
