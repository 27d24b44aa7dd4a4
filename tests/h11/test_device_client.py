"""The client of `oauthcore device-login`: it polls as RFC 8628 section 3.5 says, by a given `send` and `sleep`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import attrs
import pytest

from oauthcore import Client, ConfigurationError, DeviceGrant, Login, MemoryStorage, Request, Response, World, run
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.server import AuthorizationServer
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore.wire.http import Outgoing
from oauthcore_h11.device_client import DeviceClient, LoginFailed, Prompt

ISSUER = "https://as.example/tenant"
CODES = {"device_code": "d", "user_code": "BCDF-GHJK", "verification_uri": "https://as.example/device"}


@attrs.define
class Network:
    """Answer from a list, and note what was sent and how long was slept."""

    answers: list[dict[str, Any] | None]
    sent: list[dict[str, list[str]]] = attrs.Factory(list)
    slept: list[float] = attrs.Factory(list)
    prompts: list[Prompt] = attrs.Factory(list)
    metadata: dict[str, Any] = attrs.Factory(
        lambda: {
            "issuer": ISSUER,
            "token_endpoint": f"{ISSUER}/token",
            "device_authorization_endpoint": f"{ISSUER}/device_authorization",
        }
    )

    def send(self, request: Outgoing) -> Response | None:
        """Answer."""
        if request.method == "GET":
            return Response(200, (), json.dumps(self.metadata).encode())
        self.sent.append(parse_qs(request.body.decode()))
        answer = self.answers.pop(0)
        return None if answer is None else Response(400 if "error" in answer else 200, (), json.dumps(answer).encode())

    def log_in(self) -> Any:
        """Log in."""
        client = DeviceClient(ISSUER, "tv", send=self.send, sleep=self.slept.append)
        return client.log_in("email", (), self.prompts.append)


def error(code: str) -> dict[str, Any]:
    """Return an error of a token endpoint."""
    return {"error": code}


def test_it_shows_the_code_polls_and_returns_the_tokens() -> None:
    network = Network([CODES, error("authorization_pending"), {"access_token": "a"}])

    assert network.log_in() == {"access_token": "a"}
    assert network.slept == [5, 5]
    assert network.prompts[0].user_code.reveal() == "BCDF-GHJK"
    assert network.sent[1] == {"grant_type": [DEVICE_CODE], "device_code": ["d"], "client_id": ["tv"]}


def test_it_polls_five_seconds_more_slowly_each_time_it_is_told_to() -> None:
    slow = error("slow_down")
    network = Network([{**CODES, "interval": 2}, slow, slow, error("authorization_pending"), {"access_token": "a"}])

    network.log_in()

    assert network.slept == [2, 7, 12, 12]


def test_it_polls_less_and_less_often_where_no_answer_comes() -> None:
    network = Network([CODES, None, None, {"access_token": "a"}])

    network.log_in()

    assert network.slept == [5, 10, 20]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_grant", "something_new"])
def test_every_other_error_ends_it(code: str) -> None:
    with pytest.raises(LoginFailed, match=code):
        Network([CODES, error(code)]).log_in()


def test_it_ends_when_the_code_has_expired_whatever_the_server_says() -> None:
    network = Network([{**CODES, "expires_in": 12}, *[error("authorization_pending")] * 9])

    with pytest.raises(LoginFailed, match="expired_token"):
        network.log_in()
    assert network.slept == [5, 5, 5]


def test_it_does_not_let_a_server_steer_the_terminal() -> None:
    steering = {"verification_uri": "https://x\x1b]0;owned\x07", "user_code": "AB\x1b[2J"}
    network = Network([{**CODES, **steering}, {"access_token": "a"}])

    network.log_in()

    assert network.prompts[0].uri == "https://x?]0;owned?"
    assert network.prompts[0].user_code.reveal() == "AB?[2J"


@pytest.mark.parametrize("name", ["token_endpoint", "device_authorization_endpoint"])
def test_an_endpoint_of_an_https_issuer_that_is_not_https_gets_no_code(name: str) -> None:
    network = Network([CODES, {"access_token": "a"}])
    network.metadata[name] = "http://as.example/x"

    with pytest.raises(ConfigurationError, match="is not https"):
        network.log_in()


def test_metadata_of_another_issuer_is_refused() -> None:
    """RFC 8414 section 3.3."""
    with pytest.raises(ConfigurationError, match=r"https://evil\.example"):
        Network([], metadata={"issuer": "https://evil.example"}).log_in()


def test_an_issuer_without_the_grant_is_named() -> None:
    with pytest.raises(ConfigurationError, match="device_authorization_endpoint"):
        Network([], metadata={"issuer": ISSUER, "token_endpoint": "t"}).log_in()


def test_it_logs_in_at_our_own_server() -> None:
    clock = FixedClock()
    server = AuthorizationServer(
        issuer="https://as.example", clock=clock, entropy=SeededEntropy(), token_key=bytes(32), device=DeviceGrant()
    )
    world = World(MemoryStorage())
    tv = Client(
        client_id="tv", token_endpoint_auth_method="none", grant_types=[DEVICE_CODE], response_types=[], scope="email"
    )
    run(server.clients.register(tv), world)

    def send(request: Outgoing) -> Response:
        path = request.url.removeprefix("https://as.example")
        return run(server.handle(Request(request.method, path, request.headers, request.body)), world)

    def allow(prompt: Prompt) -> None:
        alice = Login(subject="alice", auth_time=int(clock.now))
        entered = run(server.devices.enter(prompt.user_code.reveal(), alice, Request("POST", "/device")), world)
        assert entered is not None
        run(server.devices.finish(entered.id, alice, ["email"]), world)

    tokens = DeviceClient("https://as.example", "tv", send=send, sleep=clock.advance).log_in("email", (), allow)

    assert tokens["scope"] == "email"
