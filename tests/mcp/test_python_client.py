"""The official Python client logs in, calls tools, refreshes and steps up (MCP checklist I1).

Which host, issuer, way of registration, method and way of protection meet is chosen so that each value meets the most
important ones of the others; not every one meets every other.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import anyio
import httpx2
import pytest
from fastmcp import Client as FastMcpClient
from fastmcp.client.auth import OAuth as FastMcpOAuth
from joserfc.jwk import import_key
from mcp import Client as McpClient
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider, SignedJWTParameters
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult

from oauthcore import SubjectRule, TrustedIssuer
from oauthcore.grants.jwt_bearer import GRANT_TYPE as JWT_BEARER
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import set_of
from tests.core.clients.publishing import WEB, Hosts
from tests.core.signing_keys import key_for
from tests.mcp.site import CALLBACK, SECRET, Host, HostName, Kind, Memory, Site, Tokens, site


def run_on(scenario: Callable[[Site], Awaitable[None]], **where: Any) -> None:
    """Run a scenario at a site."""

    async def run() -> None:
        async with site(**where) as served:
            await scenario(served)

    anyio.run(run)


async def log_in_call_refresh(host: Host) -> None:
    """Do what every client does, and see that the person was asked once."""
    assert await host.call("read") == ["a.txt for alice"]
    first = host.memory.tokens
    assert first is not None
    assert first.scope == "files:read"
    host.expire()

    assert await host.call("read") == ["a.txt for alice"]

    assert host.memory.tokens is not None
    assert host.memory.tokens.access_token != first.access_token
    assert len(host.person.asked) == 1
    assert host.person.asked[0]["resource"] == host.site.url


def test_i1_client_registers_itself_calls_refreshes_and_steps_up() -> None:
    async def scenario(site: Site) -> None:
        host = Host(site)
        await log_in_call_refresh(host)

        # A 403 to the first request after a login goes to the application, which is how this client is made.
        assert await host.call("read", "delete") == ["a.txt for alice", "a.txt is gone"]

        assert [asked["scope"] for asked in host.person.asked] == ["files:read", "files:read files:write"]
        assert (site.count("POST /register"), site.count("POST /token")) == (1, 3)

    run_on(scenario)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "kind", "host", "prefix", "tokens"),
    [
        ("client_secret_basic", "protect", "asgi", "/tenant1", "shared"),
        ("client_secret_post", "settings", "asgi", "", "shared"),
        ("none", "fastmcp", "asgi", "/tenant1", "shared"),
        ("client_secret_post", "fastmcp", "h11", "/tenant1", "introspected"),
        ("none", "settings", "h11", "/tenant1", "introspected"),
        ("client_secret_basic", "protect", "h11", "", "introspected"),
    ],
)
def test_i1_registered_client_logs_in_calls_and_refreshes(
    method: str, kind: Kind, host: str, prefix: str, tokens: Tokens
) -> None:
    async def scenario(site: Site) -> None:
        known = Host(site, Memory(client=site.register("known", method)))

        await log_in_call_refresh(known)

        assert site.count("POST /register") == 0

    run_on(scenario, kind=kind, host=host, prefix=prefix, tokens=tokens)


@pytest.mark.slow
def test_i1_server_elsewhere_reads_the_tokens_itself() -> None:
    async def scenario(site: Site) -> None:
        client = site.register("known", "none", access_token_format="jwt")

        await log_in_call_refresh(Host(site, Memory(client=client)))

        assert site.count("POST /introspect") == 0

    run_on(scenario, host="h11", prefix="/tenant1", tokens="jwt")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "tokens", "prefix"),
    [("wsgi", "introspected", ""), ("flask", "jwt", ""), ("flask", "introspected", "/tenant1")],
)
def test_i1_client_logs_in_at_a_blocking_host(host: HostName, tokens: Tokens, prefix: str) -> None:
    async def scenario(site: Site) -> None:
        format = {"access_token_format": "jwt"} if tokens == "jwt" else {}
        known = Host(site, Memory(client=site.register("known", "none", **format)))

        await log_in_call_refresh(known)

        assert (site.count("POST /introspect") > 0) == (tokens == "introspected")
        assert site.count("POST /token") == 2

    run_on(scenario, host=host, tokens=tokens, prefix=prefix)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_i1_client_registers_itself_by_each_method(method: str) -> None:
    async def scenario(site: Site) -> None:
        host = Host(site, metadata={"token_endpoint_auth_method": method})

        await log_in_call_refresh(host)

        assert host.memory.client is not None
        assert (host.memory.client.client_secret is None) == (method == "none")

    run_on(scenario, prefix="/tenant1")


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_h1_client_gets_tokens_for_itself_by_a_key_of_its_own_and_new_ones_when_they_expire(algorithm: str) -> None:
    """H1, C8: this SDK has `private_key_jwt` for client credentials alone, with assertions that it signs itself."""
    key = key_for(algorithm)
    members: Any = dict(key.members)
    held: Any = import_key(members, members["kty"])
    pem = held.as_pem(private=True).decode()
    signed = SignedJWTParameters(issuer="robot", subject="robot", signing_key=pem, signing_algorithm=algorithm)

    async def scenario(site: Site) -> None:
        grants = {"grant_types": ("client_credentials",), "response_types": (), "redirect_uris": ()}
        site.register("robot", "private_key_jwt", jwks=set_of([key]).decode(), **grants)
        assertion, memory = signed.create_assertion_provider(), Memory()
        auth = PrivateKeyJWTOAuthProvider(site.url, memory, "robot", assertion, "files:read", issuer=site.issuer)
        for calls in (1, 2):
            async with (
                httpx2.AsyncClient(auth=auth, timeout=30, trust_env=False) as http,
                McpClient(streamable_http_client(site.url, http_client=http)) as client,
            ):
                result = await client.call_tool("read", {"path": "a.txt"})
            assert "a.txt for robot" in result.model_dump_json()
            assert site.count("POST /token") == calls
            auth.context.token_expiry_time = 1

    run_on(scenario, kind="protect", host="h11", tokens="introspected")


@pytest.mark.slow
@pytest.mark.parametrize(("method", "prefix"), [("client_secret_post", ""), ("client_secret_basic", "/tenant1")])
def test_h2_client_brings_an_id_jag_for_each_token(
    method: Literal["client_secret_post", "client_secret_basic"], prefix: str
) -> None:
    """SEP-990, by the SDK's own provider for it: nobody's browser goes anywhere, and there is no refresh token."""
    key = key_for("ES256")
    enterprise = TrustedIssuer(
        issuer="https://idp.enterprise.example",
        keys=[key],
        uses=["id-jag"],
        subjects=[SubjectRule(subject_claim="sub")],
    )
    made: list[tuple[str, str]] = []

    async def id_jag(audience: str, resource: str) -> str:
        made.append((audience, resource))
        claims = {
            "iss": enterprise.issuer,
            "sub": "alice",
            "aud": audience,
            "client_id": "agent",
            "resource": resource,
            "scope": "files:read",
            "iat": int(time.time()),
            "exp": int(time.time()) + 60,
            "jti": f"{len(made)}",
        }
        return sign_claims(claims, key, "ES256", "oauth-id-jag+jwt")

    async def scenario(site: Site) -> None:
        grants = {"grant_types": (JWT_BEARER,), "response_types": (), "redirect_uris": ()}
        site.register("agent", method, **grants)
        auth = IdentityAssertionOAuthProvider(
            site.url, Memory(), "agent", SECRET, site.issuer, id_jag, "files:read", token_endpoint_auth_method=method
        )
        for calls in (1, 2):
            async with (
                httpx2.AsyncClient(auth=auth, timeout=30, trust_env=False) as http,
                McpClient(streamable_http_client(site.url, http_client=http)) as client,
            ):
                result = await client.call_tool("read", {"path": "a.txt"})
            assert "a.txt for alice" in result.model_dump_json()
            assert site.count("POST /token") == calls
            auth._expiry = 1
            auth._tokens = None
        assert made == [(site.issuer, site.url)] * 2

    run_on(scenario, kind="protect", host="h11", tokens="introspected", prefix=prefix, trusted_issuers=[enterprise])


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "/tenant1"])
def test_i1_client_that_publishes_what_it_is_registers_nowhere(prefix: str) -> None:
    hosts = Hosts()
    hosts.publish(WEB, redirect_uris=[CALLBACK])

    async def scenario(site: Site) -> None:
        host = Host(site, document=WEB)

        await log_in_call_refresh(host)
        assert await host.call("read", "delete") == ["a.txt for alice", "a.txt is gone"]

        assert site.count("POST /register") == 0
        assert {asked["client_id"] for asked in host.person.asked} == {WEB}
        assert hosts.asked == [WEB]

    run_on(scenario, prefix=prefix, documents=hosts)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using in-memory token storage")
def test_i1_client_of_fastmcp_registers_itself_and_calls() -> None:
    async def scenario(site: Site) -> None:
        host = Host(site)
        async with FastMcpClient(site.url, auth=FastMcpLogin(host)) as client:
            result = await client.call_tool("read", {"path": "a.txt"})

        assert result.data == "a.txt for alice"
        assert site.count("POST /register") == 1

    run_on(scenario, kind="fastmcp", prefix="/tenant1")


class FastMcpLogin(FastMcpOAuth):
    """Be FastMCP's login, with a browser that walks by itself."""

    def __init__(self, host: Host) -> None:
        super().__init__(mcp_url=host.site.url, scopes=["files:read"], callback_port=9)
        self._host = host

    async def redirect_handler(self, authorization_url: str) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Open the page that the person is sent to."""
        await self._host.person.open(authorization_url)

    async def callback_handler(self) -> AuthorizationCodeResult:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return what the browser brings back."""
        return await self._host.person.callback()
