"""The protected MCP endpoint that a test of an MCP client is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauthcore import Request, Response
from oauthcore.jose.strict_json import parse_object
from oauthcore_h11.demo_mcp import DemoMcp, make_mcp
from oauthcore_mock import Browser, Issuer, Provider
from oauthcore_pytest import assert_challenge
from tests.plugin.relying_party import REDIRECT, authorization_url, members, post


@pytest.fixture
def mcp(issuer: Issuer) -> DemoMcp:
    """Return the endpoint, as the fixture `oauth_mcp` makes it."""
    made = make_mcp(issuer.server)
    issuer.mount(made)
    return made


def call(provider: Provider, mcp: DemoMcp, token: str | None, method: str, **params: Any) -> Response:
    """Send a message to the endpoint."""
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")]
    headers += [] if token is None else [("Authorization", f"Bearer {token}")]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return provider.handle(Request("POST", mcp.path, tuple(headers), body)).response


def test_who_has_no_token_finds_the_issuer_by_the_challenge(provider: Provider, issuer: Issuer, mcp: DemoMcp) -> None:
    challenge = assert_challenge(call(provider, mcp, None, "tools/list"), scope="read")

    where = (challenge.resource_metadata or "").removeprefix(provider.url)
    document = parse_object(provider.handle(Request("GET", where)).response.body)
    assert (document["resource"], document["authorization_servers"]) == (mcp.url, [issuer.url])


def test_a_token_for_it_opens_it(provider: Provider, issuer: Issuer, mcp: DemoMcp) -> None:
    answer = call(
        provider, mcp, issuer.token("bob", aud=mcp.url, scope="read"), "tools/call", name="whoami", arguments={}
    )

    assert "bob" in answer.body.decode()


def test_a_tool_takes_more_than_reading(provider: Provider, issuer: Issuer, mcp: DemoMcp) -> None:
    token = issuer.token("bob", aud=mcp.url, scope="read")

    refused = call(provider, mcp, token, "tools/call", name="write_note", arguments={"text": "x"})

    assert "write" in assert_challenge(refused, error="insufficient_scope").scope


@pytest.mark.parametrize("audience", [None, "https://other.example/mcp"])
def test_a_token_for_something_else_does_not_open_it(
    audience: str | None, provider: Provider, issuer: Issuer, mcp: DemoMcp
) -> None:
    refused = call(provider, mcp, issuer.token("bob", aud=audience, scope="read"), "tools/list")

    assert_challenge(refused, error="invalid_token")


def test_a_client_gets_its_token_by_naming_the_endpoint(
    provider: Provider, issuer: Issuer, mcp: DemoMcp, browser: Browser
) -> None:
    client = issuer.client()
    url = authorization_url(issuer, resource=mcp.url, scope="read", nonce=None)
    code = browser.authorize(url, "bob").code
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "resource": mcp.url}

    token = members(post(issuer, "/token", client, **form))["access_token"]

    assert call(provider, mcp, token, "tools/list").status == 200


def test_what_was_asked_of_it_is_recorded(provider: Provider, issuer: Issuer, mcp: DemoMcp) -> None:
    call(provider, mcp, None, "tools/list")

    (request,) = issuer.requests.of("resource")
    assert (request.path, request.status) == (mcp.path, 401)
