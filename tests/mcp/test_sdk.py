"""The SDKs' own middleware, with our verifier: what it is told of a token, and what it says to clients."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest
from fastmcp import FastMCP
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.routing import Mount

from oauthcore import ConfigurationError, MemoryStorage, World
from oauthcore.errors import TemporarilyUnavailable
from oauthcore_mcp import protect_mcp
from oauthcore_mcp.fastmcp import McpAuth
from oauthcore_mcp.sdk import Verifier, verifier
from tests.mcp.test_protect import HOST, ISSUER, LATER, NOW, access, find

SETTINGS: dict[str, Any] = {"authorization_servers": [ISSUER], "world": World(MemoryStorage())}
WELL_KNOWN = "/.well-known/oauth-protected-resource"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
# Without them the SDK does not look at a request at all.
STREAMABLE = {"Accept": "application/json, text/event-stream"}


def sdk(**settings: Any) -> Verifier:
    return verifier(find, f"{HOST}/mcp", "files:read", **SETTINGS | settings)


def ask(app: Any, method: str, path: str, token: str | None = "reader", **more: Any) -> httpx.Response:
    """Ask an application that lives only so long."""
    headers = STREAMABLE | ({} if token is None else {"Authorization": f"Bearer {token}"})

    async def call() -> httpx.Response:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as http,
        ):
            return await http.request(method, path, headers=headers, **more)

    return anyio.run(call)


def mcp_app(server: MCPServer) -> Any:
    return server.streamable_http_app(stateless_http=True, json_response=True, host="api.example")


def test_verifier_tells_the_sdk_whose_the_token_is_and_for_which_resource() -> None:
    token = anyio.run(sdk().verify_token, "both")

    assert token is not None
    assert (token.client_id, token.subject, token.resource) == ("app", "alice", f"{HOST}/mcp")
    assert token.scopes == ["files:read", "files:write"]
    assert token.expires_at == LATER
    assert token.claims is not None
    assert (token.claims["acr"], token.claims["auth_time"]) == ("pwd", NOW)


def test_verifier_tells_the_sdk_what_a_scope_implies() -> None:
    told = sdk(implies=lambda scope: [*scope, "files:read"] if "files:write" in scope else scope)

    token = anyio.run(told.verify_token, "writer")

    assert token is not None
    assert token.scopes == ["files:write", "files:read"]


@pytest.mark.parametrize("token", ["unknown", "others", "two words", "ä", ""])
def test_verifier_tells_the_sdk_of_no_token_that_is_no_good(token: str) -> None:
    assert anyio.run(sdk().verify_token, token) is None


def test_g7_verifier_does_not_call_a_token_bad_that_nobody_could_be_asked_about() -> None:
    with pytest.raises(TemporarilyUnavailable):
        anyio.run(sdk().verify_token, "down")


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/", f"{ISSUER}/tenant1"])
def test_a8_settings_and_metadata_of_the_sdk_have_the_issuer_byte_by_byte(issuer: str) -> None:
    told = sdk(authorization_servers=[issuer])
    app = mcp_app(MCPServer("Files", token_verifier=told, auth=told.auth_settings))

    metadata = ask(app, "GET", f"{WELL_KNOWN}/mcp", None).json()

    assert str(told.auth_settings.issuer_url) == issuer
    assert metadata["authorization_servers"] == [issuer]
    assert metadata["resource"] == f"{HOST}/mcp"


def test_settings_have_the_sdk_look_at_the_resource_itself() -> None:
    assert sdk().auth_settings.validate_token_resource is True


@pytest.mark.parametrize(("token", "status"), [("reader", 200), ("nothing", 403), ("others", 401), (None, 401)])
def test_the_sdks_own_middleware_lets_through_what_the_verifier_does(token: str | None, status: int) -> None:
    told = sdk()
    app = mcp_app(MCPServer("Files", token_verifier=told, auth=told.auth_settings))

    assert ask(app, "POST", "/mcp", token, json=LIST).status_code == status


def test_tool_of_a_protected_server_knows_who_calls_it() -> None:
    server = MCPServer("Files")

    @server.tool()
    def whoami() -> str:
        """Say who calls."""
        token = get_access_token()
        return "nobody" if token is None else f"{token.subject} by {token.client_id}"

    inner = mcp_app(server)
    app = protect_mcp(inner, sdk())
    call = LIST | {"method": "tools/call", "params": {"name": "whoami", "arguments": {}}}

    async def run() -> httpx.Response:
        async with (
            inner.router.lifespan_context(inner),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as http,
        ):
            return await http.post("/mcp", headers=STREAMABLE | {"Authorization": "Bearer reader"}, json=call)

    assert anyio.run(run).json()["result"]["content"][0]["text"] == "alice by app"


def fast(url: str = f"{HOST}/mcp", path: str = "/mcp", **settings: Any) -> Any:
    server = FastMCP("Files", auth=McpAuth(find, url, "files:read", **SETTINGS | settings))

    @server.tool
    def whoami() -> str:
        """Say who calls."""
        token = get_access_token()
        return "nobody" if token is None else f"{token.subject} by {token.client_id}"

    @server.tool
    def delete() -> str:
        """Delete."""
        return "gone"

    @server.custom_route("/health", methods=["GET"])
    async def health(request: Any) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("well")

    return server.http_app(path=path, stateless_http=True, json_response=True, host_origin_protection=False)


def calling(tool: str) -> dict[str, Any]:
    return LIST | {"method": "tools/call", "params": {"name": tool, "arguments": {}}}


def test_tool_of_fastmcp_knows_who_calls_it() -> None:
    response = ask(fast(), "POST", "/mcp", json=calling("whoami"))

    assert json.loads(response.text)["result"]["content"][0]["text"] == "alice by app"


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_g2_fastmcp_sends_our_challenge(path: str) -> None:
    response = ask(fast(), "POST", path, None, json=LIST)

    assert response.headers.get_list("www-authenticate") == [
        f'Bearer realm="{HOST}/mcp", scope="files:read", resource_metadata="{HOST}{WELL_KNOWN}/mcp"'
    ]


def test_g5_fastmcp_sends_our_challenge_for_a_tool() -> None:
    response = ask(fast(tools={"delete": "files:write"}), "POST", "/mcp", json=calling("delete"))

    assert response.status_code == 403
    assert 'scope="files:read files:write"' in response.headers["www-authenticate"]


def test_fastmcps_custom_routes_stay_open() -> None:
    assert ask(fast(), "GET", "/health", None).text == "well"


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/"])
def test_a8_fastmcps_metadata_has_the_issuer_byte_by_byte(issuer: str) -> None:
    told = fast(authorization_servers=[issuer])

    for path in ("", "/mcp"):
        assert ask(told, "GET", WELL_KNOWN + path, None).json()["authorization_servers"] == [issuer]


def test_path_of_fastmcp_that_the_url_does_not_name_is_protected_all_the_same() -> None:
    assert ask(fast(path="/elsewhere"), "POST", "/elsewhere", None, json=LIST).status_code == 401
    assert ask(fast(path="/elsewhere"), "POST", "/elsewhere", json=LIST).status_code == 200


def test_fastmcp_that_is_mounted_takes_the_tokens_for_its_url_and_holds_its_tools_to_their_scopes() -> None:
    mounted = fast(f"{HOST}/api/mcp", audience=f"{HOST}/mcp", tools={"delete": "files:write"})
    app = Starlette(routes=[Mount("/api", mounted)], lifespan=mounted.lifespan)

    answers = [ask(app, "POST", "/api/mcp", json=calling(tool)) for tool in ("whoami", "delete")]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert ask(app, "POST", "/api/mcp", None, json=LIST).status_code == 401


def test_verifier_takes_only_what_a_resource_can_be() -> None:
    with pytest.raises(ConfigurationError):
        verifier(find, "ftp://api.example/mcp", **SETTINGS)


def test_access_of_an_actor_says_so_in_the_claims() -> None:
    told = sdk().access_token("t", access("files:read", act={"sub": "robot"}))

    assert told.claims is not None
    assert told.claims["act"] == {"sub": "robot"}
