"""Under which names a server for this machine alone answers, so that no page can have its own name point to it."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from oauthcore import Request, Response
from oauthcore_h11.known_hosts import KnownHosts
from tests.h11.test_cli_demo import first_line, running


async def answer(request: Request) -> Response:
    """Be an application."""
    return Response(200)


def status(*headers: tuple[str, str], names: tuple[str, ...] = ()) -> int:
    """Return how a request with these headers is answered."""
    response = asyncio.run(KnownHosts(answer, frozenset(names))(Request("GET", "/", headers)))
    assert isinstance(response, Response)
    return response.status


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8000", "LocalHost:8000", "app.localhost:9000"),
        *("127.0.0.1", "127.0.0.1:8000", "127.8.9.1:8000", "[::1]", "[::1]:8000"),
    ],
)
def test_loopback_names_are_known_at_any_port(host: str) -> None:
    assert status(("Host", host)) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "notlocalhost", "127.0.0.1.evil.example"),
        *(
            "10.0.0.1:8000",
            "0.0.0.0:8000",
            "[::ffff:10.0.0.1]",
            "[::1",
            "",
            "user@evil.example",
            "localhost@evil.example",
        ),
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    """RFC 9110 section 15.5.20."""
    assert status(("Host", host)) == 421


def test_a_name_that_was_given_is_known_with_its_port() -> None:
    assert status(("Host", "Mock.test:9400"), names=("mock.test:9400",)) == 200
    assert status(("Host", "mock.test:1"), names=("mock.test:9400",)) == 421


def test_a_client_of_http_1_0_without_a_host_is_answered() -> None:
    """No browser is one."""
    assert status() == 200


@pytest.mark.slow
def test_the_demo_refuses_a_foreign_host_and_answers_its_own() -> None:
    with running("--json", "--mcp") as process:
        issuer = json.loads(first_line(process))["issuer"]

        def asked(path: str, host: str | None = None) -> int:
            """Return how the demo answers."""
            headers = {} if host is None else {"Host": host}
            return httpx.get(issuer + path, headers=headers, trust_env=False).status_code

        foreign = [
            asked(path, "evil.example:8000") for path in ("/login", "/mcp", "/.well-known/oauth-authorization-server")
        ]
        own = [asked("/.well-known/oauth-authorization-server", host) for host in (None, "127.0.0.1:1")]

    assert (foreign, own) == ([421] * 3, [200] * 2)
