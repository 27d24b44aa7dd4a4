"""I1: clients by the TypeScript SDKs log in, call a tool, refresh and step up, however they are registered."""

from __future__ import annotations

import ssl
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

from oauthcore.jose.crypto import sign_claims
from tests.core.signing_keys import key_for
from tests.mcp.replicas import COUNT, Balancer, Kind, replicated
from tests.mcp.site import Site, site
from tests.mcp_clients.conftest import Sites, Walk, converse, skip_without_clients
from tests.mcp_clients.site import CALLBACK, ENTERPRISE, LIFETIMES, SECRET, Clock, metadata
from tests.relying_parties.browser import Browser
from tests.scale import scaled
from tests.servers.postgresql import PostgreSql

METHODS = ("none", "client_secret_basic", "client_secret_post", "private_key_jwt")
# A secret that is published is none (draft-ietf-oauth-client-id-metadata-document-00 section 4.1).
WAYS = [
    *((registration, method) for registration in ("registered", "registers") for method in METHODS),
    *(("publishes", method) for method in ("none", "private_key_jwt")),
]
PLACES = [("h11", ""), ("uvicorn", "/tenant"), ("h11", "/tenant"), ("uvicorn", "")]
EXPIRED = LIFETIMES.access_token_lifetime + 1


def pairs() -> list[tuple[str, str, str, str, str]]:
    """Return walks by which any two of SDK, way, host and issuer's path are seen together."""
    return [
        (sdk, *way, *PLACES[(number + turn) % 4])
        for number, way in enumerate(WAYS)
        # Each way meets one host with one path, and by the other SDK the other host with the other.
        for sdk, turn in (("v1", 0), ("v2", 1 - 2 * (number % 2)))
    ]


def test_walks_bring_any_two_together() -> None:
    sdks, hosts, paths = ("v1", "v2"), ("h11", "uvicorn"), ("", "/tenant")
    walks = [(sdk, (registration, method), host, path) for sdk, registration, method, host, path in pairs()]

    for first, second, wanted in (
        (0, 1, len(sdks) * len(WAYS)),
        (0, 2, len(sdks) * len(hosts)),
        (0, 3, len(sdks) * len(paths)),
        (1, 2, len(WAYS) * len(hosts)),
        (1, 3, len(WAYS) * len(paths)),
        (2, 3, len(hosts) * len(paths)),
    ):
        assert len({(walk[first], walk[second]) for walk in walks}) == wanted


def check(result: dict[str, Any], *, offline: bool) -> None:
    """Check what a whole walk has to bring: two authorizations, the second for more, and a refresh between them.

    The second SDK asks for `offline_access` where the server offers it.
    """
    first, second = result["authorizations"]
    assert first["code_challenge_method"] == "S256"
    assert set(first["scope"].split()) == {"read"} | ({"offline_access"} if offline else set())
    assert set(second["scope"].split()) >= {"read", "write"}
    assert result["tools"] == ["whoami", "read_note", "write_note"]
    assert result["whoami"].startswith(f"alice, by the client {result['client']['client_id']}, with the scope read")
    assert result["refreshed"]["access_token"] != result["first"]["access_token"]
    assert result["refreshed"]["refresh_token"] != result["first"]["refresh_token"]
    assert result["wrote"] == "It is written down."
    assert result["read"] == "remember"


@pytest.mark.parametrize("sdk", ["v1", "v2"])
def test_i1_typescript_client_registers_itself_logs_in_and_calls_a_tool(walk: Walk, sdk: str) -> None:
    result = walk(sdk, "registers", "none", "h11", "/tenant")

    (authorization,) = result["authorizations"]
    assert authorization["client_id"] == result["client"]["client_id"]
    assert result["whoami"].endswith("with the scope read")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/tenant"])
def test_h2_typescript_client_brings_an_id_jag_and_needs_no_page(sites: Sites, path: str) -> None:
    """SEP-990, by the SDK's own provider for it."""
    skip_without_clients()
    site = sites.at("h11", path)
    mcp, issuer, now = site.demo.mcp, site.demo.server.issuer, int(site.clock())
    assert mcp is not None
    claims = {
        "iss": ENTERPRISE,
        "sub": "alice",
        "aud": issuer,
        "client_id": "cross-app",
        "resource": mcp.url,
        "scope": "read",
        "iat": now,
        "exp": now + 60,
        "jti": f"jag of {path}",
    }
    job = {
        "flow": "crossApp",
        "sdk": "v2",
        "url": mcp.url,
        "client": {"clientId": "cross-app", "clientSecret": SECRET, "expectedIssuer": issuer},
        "assertions": [sign_claims(claims, site.key, "ES256", "oauth-id-jag+jwt")],
    }

    with Browser(site.origin, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as browser:
        result = converse(site.clock, browser, job)

        assert browser.visited == []
    assert result["whoami"].startswith("alice, by the client cross-app, with the scope read")
    assert "refresh_token" not in result["tokens"]
    assert [asked["authorizationServerUrl"].rstrip("/") for asked in result["asked"]] == [issuer]
    assert [asked["resourceUrl"] for asked in result["asked"]] == [mcp.url]


@pytest.mark.slow
@pytest.mark.parametrize("host", ["h11", "uvicorn"])
def test_i1_typescript_client_of_the_newest_revision_needs_no_handshake(walk: Walk, host: str) -> None:
    pinned = {"versionNegotiation": {"mode": {"pin": "2026-07-28"}}}

    result = walk("v2", "registers", "none", host, "", expire=EXPIRED, step_up=True, client_options=pinned)

    check(result, offline=True)


@pytest.mark.slow
@pytest.mark.parametrize(("sdk", "registration", "method", "host", "path"), pairs())
def test_i1_typescript_client_logs_in_refreshes_and_steps_up(
    walk: Walk, sdk: str, registration: str, method: str, host: str, path: str
) -> None:
    result = walk(sdk, registration, method, host, path, expire=EXPIRED, step_up=True)

    check(result, offline=sdk == "v2" and not path)


@pytest.mark.slow
def test_i1_first_typescript_sdk_steps_up_at_protect_mcp_by_itself_if_it_has_no_refresh_token() -> None:
    """With one it refreshes, which can't widen its scope (RFC 6749 section 6), and gives up."""
    skip_without_clients()
    call = {"path": "a.txt"}
    job: dict[str, Any] = {"flow": "walk", "sdk": "v1", "redirect_uri": CALLBACK, "step_up": True, "unaided": True}
    job["tools"] = {"whoami": ["read", call], "read_note": ["read", call], "write_note": ["delete", call]}
    # As the SDK registers: RFC 7591 section 2 then has it get codes alone.
    job["metadata"] = {"client_name": "Walk", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}

    def walk(served: Site) -> dict[str, Any]:
        with Browser(served.issuer, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as browser:
            return converse(Clock(), browser, job | {"url": served.url})

    async def scenario() -> dict[str, Any]:
        async with site() as served:
            return await anyio.to_thread.run_sync(walk, served)

    result = anyio.run(scenario)

    assert "refresh_token" not in result["first"]
    assert result["wrote"] == "a.txt is gone"
    assert [asked["scope"] for asked in result["authorizations"]] == ["files:read", "files:read files:write"]


# As for MCP's Python client (tests/mcp/test_replicas.py): `nox -s long` has all three.
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("kind", ["introspected", "together", "jwt"][: scaled(1, 3)])
def test_i3_typescript_client_logs_in_refreshes_and_steps_up_while_replicas_are_killed(
    kind: Kind, postgresql: PostgreSql, tmp_path: Path
) -> None:
    skip_without_clients()
    steps = ("POST /register", "POST /login", "POST /approve", "POST /token", "POST /mcp")
    call = {"path": "a.txt"}
    job: dict[str, Any] = {"flow": "walk", "sdk": "v2", "redirect_uri": CALLBACK, "step_up": True, "spoil": True}
    job["tools"] = {"whoami": ["read", call], "read_note": ["read", call], "write_note": ["delete", call]}
    job["metadata"] = metadata("none", key_for("ES256"))

    def walk(origin: str) -> dict[str, Any]:
        with Browser(origin, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as browser:
            return converse(Clock(), browser, job | {"url": f"{origin}/mcp"})

    async def scenario() -> tuple[dict[str, Any], Balancer]:
        storage = postgresql.url("psycopg", postgresql.database())
        async with replicated(kind, storage, tmp_path / "as", steps) as (origin, balancer):
            return await anyio.to_thread.run_sync(walk, origin), balancer

    result, balancer = anyio.run(scenario)

    assert result["refreshed"]["access_token"] not in {"spoilt", result["first"]["access_token"]}
    assert (result["wrote"], result["read"]) == ("a.txt is gone", result["whoami"])
    scopes = [set(asked["scope"].split()) - {"offline_access"} for asked in result["authorizations"]]
    assert scopes == [{"files:read"}, {"files:read", "files:write"}]
    assert len(balancer.replicas_of("POST /token")) == 3
    for replicas, lines in balancer.groups(steps):
        answered = balancer.replicas_of(*lines)
        assert all(here != there for here, there in pairwise(answered))
        assert set(answered) == set(range(COUNT))
        assert replicas.killed == len(answered)
