"""Tills as another vendor implements them: they poll, or are pinged, while the user answers on a page (OpenID CIBA)."""

from __future__ import annotations

import json
import os
import queue
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trustme
from typing_extensions import override

from oauthcore.jose.crypto import sign_claims
from tests.processes import PATIENCE, line_of, running
from tests.relying_parties.conftest import INSTALLED, NODE, SECRET, Provider, hashed, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NODE is None or not INSTALLED, reason="npm ci in tests/relying_parties"),
]

HERE = Path(__file__).parent
TOKEN = "a-notification-token-of-the-shop"
TILL = """
[[clients]]
client_id = "{client_id}"
name = "The {client_id}"
secret = "{secret}"
token_endpoint_auth_method = "client_secret_post"
grant_types = ["urn:openid:params:grant-type:ciba"]
scope = "openid email"
{more}
"""


SIGNED = """
backchannel_token_delivery_mode = "poll"
backchannel_authentication_request_signing_alg = "ES256"
jwks_file = "signing.jwks"
"""


@attrs.frozen
class Receiver:
    """Be the server of a client in ping mode: keep what it is sent."""

    port: int
    authority: trustme.CA
    pings: queue.Queue[tuple[str, str, Any]]

    @property
    def url(self) -> str:
        """Return its notification endpoint."""
        return f"https://localhost:{self.port}/notified"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a notification endpoint over TLS."""
    pings: queue.Queue[tuple[str, str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            pings.put((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = ThreadingHTTPServer(("localhost", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Receiver(server.server_port, authority, pings)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Return the server of the shop."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def provider(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Serve, with two tills, one of them for staff alone, and a shop that is pinged."""
    folder = tmp_path_factory.mktemp("ciba")
    receiver.authority.cert_pem.write_to_path(folder / "receiver.pem")
    poll = 'backchannel_token_delivery_mode = "poll"'
    ping = 'backchannel_token_delivery_mode = "ping"\nbackchannel_client_notification_endpoint = '
    tables = (
        "[oidc]\n[ciba]\ninterval = 1",
        '[outgoing]\nprivate_hosts = ["localhost"]\nextra_ca_file = "receiver.pem"',
        f'[[users]]\nusername = "alice"\nsubject = "alice"\npassword_hash = "{hashed("wonderland")}"',
        'claims = { email = "alice@wonderland.example", email_verified = true }',
        TILL.format(client_id="till", secret=SECRET, more=poll),
        TILL.format(client_id="staff", secret=SECRET, more=poll + '\nrequire = ["group:staff"]'),
        TILL.format(client_id="shop", secret=SECRET, more=f'{ping}"{receiver.url}"'),
    )
    with serving(folder, *tables, TILL.format(client_id="signing", secret=SECRET, more=SIGNED)) as provider:
        yield provider


@pytest.fixture
def phone(provider: Provider) -> Iterator[httpx.Client]:
    """Return the browser of alice's phone, which runs no script, where she is signed in."""
    with httpx.Client(base_url=provider.issuer, verify=provider.trust, follow_redirects=True) as phone:
        form = hidden(phone.get("/login"))
        assert phone.post("/login", data={**form, "username": "alice", "password": "wonderland"}).url.path == "/account"
        yield phone


def hidden(page: httpx.Response) -> dict[str, str]:
    """Return the hidden fields of a page's first form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def answered(phone: httpx.Client, approval: str, message: str) -> None:
    """Follow the link of the account page, compare the message, and answer."""
    assert "1 request waits for you." in phone.get("/account").text
    page = phone.get("/requests")
    assert message in page.text
    done = phone.post("/requests", data={**hidden(page), "scope": ["openid", "email"], "approval": approval})
    assert done.url.query == (b"done=allowed" if approval == "1" else b"done=denied")


def asked(provider: Provider, client_id: str, **parameters: str) -> dict[str, Any]:
    """Return what the program is to do."""
    values = {"scope": "openid email", "login_hint": "alice@wonderland.example", **parameters}
    return {"issuer": provider.issuer, "client_id": client_id, "secret": SECRET, "parameters": values}


class Program:
    """Be the program while it runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def tell(self, message: object) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Return what it says."""
        line = line_of(self.process)
        assert line, self.process.stderr and self.process.stderr.read()
        heard: dict[str, Any] = json.loads(line)
        return heard


@contextmanager
def program(provider: Provider, job: dict[str, Any]) -> Iterator[Program]:
    """Start it."""
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(provider.authority)}
    piped = subprocess.PIPE
    command = [str(NODE), str(HERE / "ciba.mjs")]
    with running(command, stdin=piped, stdout=piped, stderr=piped, env=environment) as process:
        started = Program(process)
        started.tell(job)
        yield started


def test_openid_client_polls_until_the_user_has_allowed_it(provider: Provider, phone: httpx.Client) -> None:
    with program(provider, asked(provider, "till", binding_message="W4SCT")) as till:
        begun = till.hear()
        assert begun["modes"] == ["poll", "ping"]
        # It begins to poll while the user has not answered yet.
        till.tell("go on")
        answered(phone, "1", "W4SCT")
        result = till.hear()

    assert result["claims"]["sub"] == "alice"
    assert result["scope"] == "openid email"
    assert result["email"] == "alice@wonderland.example"


def test_openid_client_is_told_that_the_user_has_denied_it(provider: Provider, phone: httpx.Client) -> None:
    with program(provider, asked(provider, "till", binding_message="NO1")) as till:
        _ = till.hear()
        answered(phone, "0", "NO1")
        till.tell("go on")

        assert till.hear()["error"] == "access_denied"


def test_openid_client_goes_on_when_it_is_pinged(provider: Provider, phone: httpx.Client, receiver: Receiver) -> None:
    job = asked(provider, "shop", login_hint="alice", binding_message="B4T", client_notification_token=TOKEN)
    with program(provider, job) as shop:
        begun = shop.hear()
        answered(phone, "1", "B4T")
        path, authorization, body = receiver.pings.get(timeout=PATIENCE)
        shop.tell("go on")
        result = shop.hear()

    assert (path, authorization) == ("/notified", f"Bearer {TOKEN}")
    assert body == {"auth_req_id": begun["auth_req_id"]}
    assert result["claims"]["sub"] == "alice"


@pytest.mark.parametrize(("client_id", "hint"), [("till", "carol"), ("staff", "alice")])
def test_openid_client_is_told_that_there_is_no_such_user_for_it(provider: Provider, client_id: str, hint: str) -> None:
    with program(provider, asked(provider, client_id, login_hint=hint)) as till:
        assert till.hear() == {"error": "unknown_user_id", "status": 400}


def test_openid_client_sends_a_signed_request(provider: Provider, phone: httpx.Client) -> None:
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + 60, "jti": "1"}
    values = {"scope": "openid email", "login_hint": "alice", "binding_message": "S16N"}
    claims = {"iss": "signing", "aud": provider.issuer, **times, **values}
    job = asked(provider, "signing") | {
        "parameters": {"request": sign_claims(claims, provider.signing, "ES256", "JWT")}
    }

    with program(provider, job) as till:
        _ = till.hear()
        answered(phone, "1", "S16N")
        till.tell("go on")

        assert till.hear()["claims"]["sub"] == "alice"
