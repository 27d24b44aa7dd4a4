"""Clients that the provider asks, or tells of a logout: on a port, and without one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs
from urllib.request import urlopen

import pytest

from oauthcore import Outgoing, Response
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set, set_of
from oauthcore_mock import Browser, DeliveredLogout, Issuer, Provider
from oauthcore_pytest.serving import served
from tests.core.signing_keys import key_for
from tests.plugin.relying_party import REDIRECT, authorization_url, claims_of, members, post, redeem
from tests.processes import PATIENCE

KEY = key_for("ES256")
BACK = "https://app.example/logout"


class RelyingParty(BaseHTTPRequestHandler):
    """Publish keys, and take logout tokens, which are verified by the keys that the provider publishes then."""

    logouts: ClassVar[list[dict[str, object]]] = []

    def do_GET(self) -> None:
        """Publish the keys."""
        self.answer(200, set_of([KEY]))

    def do_POST(self) -> None:
        """Take a logout token."""
        (token,) = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["logout_token"]
        with urlopen(f"{claims_of(token)['iss']}/jwks", timeout=10) as answer:
            verified = crypto.verify(token, parse_set(answer.read()), ["ES256"])
        self.logouts.append(dict(verified.claims))
        self.answer(200, b"{}")

    def answer(self, status: int, body: bytes) -> None:
        """Answer with JSON."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # type: ignore[explicit-override]  # 3.12 has it
        """Say nothing."""


@pytest.fixture
def relying_party() -> Iterator[str]:
    """Return the URL of a relying party that listens."""
    RelyingParty.logouts.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), RelyingParty)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(PATIENCE)
    server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Return a provider that listens."""
    with served() as provider:
        yield provider


def sign_in(provider: Provider, issuer: Issuer, sub: str = "alice", *, back: str = BACK) -> None:
    """Have somebody sign in at the client, which redeems its code."""
    issuer.next_login(sub)
    client = issuer.client(redirect_uris=[REDIRECT], backchannel_logout_uri=back)
    assert redeem(issuer, client, Browser(provider).authorize(authorization_url(issuer)).code).status == 200


def test_a_client_is_told_of_a_logout_and_verifies_the_token_by_the_published_keys(
    provider: Provider, relying_party: str
) -> None:
    issuer = provider.issuer()
    back = f"{relying_party}/logout"
    sign_in(provider, issuer, back=back)

    delivered = issuer.logout("alice")

    assert delivered == (DeliveredLogout(back, 200),)
    (claims,) = RelyingParty.logouts
    assert (claims["sub"], claims["aud"], claims["iss"]) == ("alice", "test-client", issuer.url)


def test_only_the_sessions_of_who_is_logged_out_end(provider: Provider) -> None:
    issuer = provider.issuer()
    sign_in(provider, issuer, "bob")

    assert issuer.logout("alice", fetch=refused) == ()
    assert issuer.logout("bob", fetch=refused) == (DeliveredLogout(BACK, 400),)


def refused(request: Outgoing) -> Response:
    """Refuse a logout token, as a client does (section 2.8)."""
    return Response(400)


def test_a_client_that_does_not_answer_is_reported_as_such(provider: Provider) -> None:
    def unreachable(request: Outgoing) -> Response:
        raise OSError("nobody is there")

    issuer = provider.issuer()
    sign_in(provider, issuer)

    assert issuer.logout(fetch=unreachable) == (DeliveredLogout(BACK, None),)


def test_keys_of_a_client_are_fetched_from_where_it_publishes_them(provider: Provider, relying_party: str) -> None:
    issuer = provider.issuer()
    issuer.client(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{relying_party}/jwks", scope="read")
    now = int(issuer.clock.now)
    claims = {
        "iss": "test-client",
        "sub": "test-client",
        "aud": issuer.url,
        "jti": "1",
        "iat": now,
        "exp": now + 60,
    }
    assertion = crypto.sign_claims(claims, KEY, "ES256", "JWT")

    response = post(
        *(issuer, "/token"),
        grant_type="client_credentials",
        client_assertion=assertion,
        client_assertion_type=ASSERTION_TYPE,
    )

    assert response.status == 200, response.body
    assert members(response)["scope"] == "read"
