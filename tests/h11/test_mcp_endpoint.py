"""The MCP endpoint: what the Streamable HTTP transport and JSON-RPC ask of it, and what a token has to allow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore import Access, MemoryStorage, Request, ResourceServer, Response, Secret, World, run
from oauthcore.flow.effects import Flow, pure
from oauthcore.scope import as_scope
from oauthcore_h11.mcp_endpoint import CAPABILITIES_KEY, SERVER_KEY, VERSION_KEY, McpEndpoint, Tool, is_local

RESOURCE = "https://api.example/mcp"
JSON = ("Content-Type", "application/json")
WORLD = World(MemoryStorage())
SCOPES = {"reader": "read", "writer": "read write"}


def find(token: Secret) -> Flow[Access | None]:
    """Know two tokens, by what they allow."""
    scope = SCOPES.get(token.reveal())
    access = Access(
        client_id="app", subject="alice", scope=as_scope(scope or ""), issued_at=0, expires_at=1, audience=(RESOURCE,)
    )
    return pure(None if scope is None else access)


def echo(access: Access, arguments: Mapping[str, object]) -> str:
    text = arguments.get("text")
    if not isinstance(text, str):
        raise ValueError("The text has to be a string.")
    return f"{access.identity}: {text}"


ENDPOINT = McpEndpoint(
    "echoes",
    ResourceServer(find, resource=RESOURCE),
    (
        Tool(name="echo", description="Say it again.", call=echo),
        Tool(name="shout", description="Say it loud.", call=lambda access, _: "!", scope="write"),
    ),
    "read",
)


def ask(body: bytes, token: str | None = "writer", *headers: tuple[str, str], method: str = "POST") -> Response:
    """Send a request."""
    shown = () if token is None else (("Authorization", f"Bearer {token}"),)
    return run(ENDPOINT.handle(Request(method, "/mcp", (JSON, *shown, *headers), body)), WORLD)


def message(method: str, **params: object) -> bytes:
    """Write a request of JSON-RPC."""
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()


def members(response: Response) -> dict[str, Any]:
    """Read an answer."""
    read: dict[str, Any] = json.loads(response.body)
    assert (read["jsonrpc"], response.header("content-type")) == ("2.0", "application/json")
    return read


def challenge(response: Response) -> str:
    return response.header("www-authenticate") or ""


@pytest.mark.parametrize(("asked", "answered"), [("2025-06-18", "2025-06-18"), ("2099-01-01", "2025-11-25")])
def test_initialize_agrees_on_the_version_that_is_asked_for_or_offers_the_newest(asked: str, answered: str) -> None:
    result = members(ask(message("initialize", protocolVersion=asked, capabilities={})))["result"]

    assert result["protocolVersion"] == answered
    assert result["capabilities"] == {"tools": {}}
    assert result["serverInfo"]["name"] == "echoes"


def test_tools_are_listed_with_their_schemas() -> None:
    tools = members(ask(message("tools/list")))["result"]["tools"]

    assert [tool["name"] for tool in tools] == ["echo", "shout"]
    assert all(tool["inputSchema"]["type"] == "object" for tool in tools)


def test_tool_is_called_for_whoever_the_token_is_for() -> None:
    answer = members(ask(message("tools/call", name="echo", arguments={"text": "hello"})))

    assert answer["id"] == 7
    assert answer["result"] == {"content": [{"type": "text", "text": "alice: hello"}], "isError": False}


def test_failure_of_a_tool_is_a_result_that_says_so() -> None:
    result = members(ask(message("tools/call", name="echo")))["result"]

    assert (result["isError"], result["content"][0]["text"]) == (True, "The text has to be a string.")


def test_ping_is_answered() -> None:
    assert members(ask(message("ping")))["result"] == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[]", 400, -32700),
        (message("resources/list"), 200, -32601),
        (message("tools/call", name="none"), 200, -32602),
        (message("tools/call", name=["echo"]), 200, -32602),
        (message("tools/call", name="echo", arguments=[]), 200, -32602),
        (b'{"id": 1, "method": "ping", "params": []}', 200, -32602),
        (b'{"id": 1, "method": ["ping"]}', 200, -32601),
    ],
)
def test_what_can_not_be_answered_is_an_error_of_json_rpc(body: bytes, status: int, code: int) -> None:
    response = ask(body)

    assert (response.status, members(response)["error"]["code"]) == (status, code)


@pytest.mark.parametrize("sent", [{"method": "notifications/initialized"}, {"id": 1, "result": {}}])
def test_notification_and_response_are_taken_without_a_word(sent: dict[str, object]) -> None:
    response = ask(json.dumps({"jsonrpc": "2.0", **sent}).encode())

    assert (response.status, response.body) == (202, b"")


def test_version_that_is_not_spoken_here_is_refused_but_to_who_still_asks_for_one() -> None:
    unknown = ("MCP-Protocol-Version", "2099-01-01")

    assert ask(message("tools/list"), "reader", unknown).status == 400
    assert ask(message("initialize", protocolVersion="2099-01-01"), "reader", unknown).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_stream_to_get_and_no_session_to_delete(method: str) -> None:
    response = ask(b"", method=method)

    assert (response.status, response.header("allow")) == (405, "POST, OPTIONS")


def test_body_of_another_type_is_refused() -> None:
    request = Request("POST", "/mcp", (("Authorization", "Bearer writer"), ("Content-Type", "text/plain")), b"{}")

    assert run(ENDPOINT.handle(request), WORLD).status == 415


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_there_is_nothing_but_the_challenge(method: str) -> None:
    response = ask(b"{", None, method=method)

    assert response.status == 401
    assert 'scope="read"' in challenge(response)
    assert "/.well-known/oauth-protected-resource/mcp" in challenge(response)
    assert "error" not in challenge(response)


def test_tool_that_takes_more_than_the_token_has_is_answered_with_all_of_the_scope() -> None:
    response = ask(message("tools/call", name="shout"), "reader")

    assert response.status == 403
    assert 'error="insufficient_scope"' in challenge(response)
    assert 'scope="read write"' in challenge(response)
    assert members(ask(message("tools/call", name="shout"), "writer"))["result"]["isError"] is False


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:6274", 200),
        ("http://127.0.0.1:6274", 200),
        ("http://[::1]:6274", 200),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_pages_of_other_hosts_may_not_call(origin: str, status: int) -> None:
    assert ask(message("ping"), "reader", ("Origin", origin)).status == status


def test_page_of_this_machine_is_told_that_it_may_call_and_why_it_was_refused() -> None:
    origin = ("Origin", "http://localhost:6274")
    announced = ("Access-Control-Request-Headers", "authorization, content-type, mcp-protocol-version")

    preflight, refused = ask(b"", None, origin, announced, method="OPTIONS"), ask(b"{}", None, origin)

    assert preflight.status == 204
    assert preflight.header("access-control-allow-headers") == announced[1]
    assert refused.header("access-control-allow-origin") == "*"
    assert "WWW-Authenticate" in (refused.header("access-control-expose-headers") or "")


VALUES = (
    st.none() | st.integers() | st.sampled_from(["tools/call", "initialize", "ping", "echo", "shout", "", "\udc00"])
)
PARTS = st.dictionaries(st.sampled_from(["name", "arguments", "protocolVersion", "text"]), VALUES)
MESSAGES = st.dictionaries(st.sampled_from(["id", "method", "params", "jsonrpc"]), VALUES | PARTS)


@settings(max_examples=50)
@given(st.binary() | MESSAGES.map(lambda members: json.dumps(members).encode()))
def test_any_body_is_answered(body: bytes) -> None:
    assert ask(body).status in {200, 202, 400}
    assert ask(body, None).status == 401


@given(st.text().filter(lambda text: "//" not in text))
def test_no_origin_that_has_no_host_is_local(host: str) -> None:
    assert not is_local(host)


def test_tool_takes_no_arguments_unless_it_says_so() -> None:
    tool = Tool(name="none", description="", call=echo)

    assert dict(tool.input_schema) == {"type": "object", "properties": {}}


NEWEST = "2026-07-28"
ENVELOPE = {VERSION_KEY: NEWEST, CAPABILITIES_KEY: {}}


def ask_alone(
    method: str,
    envelope: Mapping[str, object] = ENVELOPE,
    headers: Mapping[str, str] | None = None,
    token: str = "writer",
    **params: object,
) -> Response:
    """Send a request of 2026-07-28, with no handshake before it; `headers` are instead of those that an SDK sends."""
    name = params.get("name")
    sent = {"MCP-Protocol-Version": NEWEST, "Mcp-Method": method} | (
        {"Mcp-Name": name} if isinstance(name, str) else {}
    )
    return ask(message(method, _meta=dict(envelope), **params), token, *(sent | dict(headers or {})).items())


def test_client_without_a_handshake_discovers_what_is_spoken() -> None:
    result = members(ask_alone("server/discover"))["result"]

    assert result["supportedVersions"] == [NEWEST]
    assert result["capabilities"] == {"tools": {}}
    assert (result["resultType"], result["cacheScope"], result["ttlMs"]) == ("complete", "private", 0)
    assert result["_meta"][SERVER_KEY]["name"] == "echoes"


def test_client_without_a_handshake_lists_and_calls_tools() -> None:
    listed = members(ask_alone("tools/list"))["result"]
    called = members(ask_alone("tools/call", name="echo", arguments={"text": "hi"}))["result"]

    assert [tool["name"] for tool in listed["tools"]] == ["echo", "shout"]
    assert called["content"] == [{"type": "text", "text": "alice: hi"}]
    assert (listed["resultType"], called["resultType"]) == ("complete", "complete")


def test_client_without_a_handshake_needs_the_tools_scope_as_well() -> None:
    response = ask_alone("tools/call", token="reader", name="shout", arguments={})

    assert response.status == 403
    assert 'scope="read write"' in challenge(response)


@pytest.mark.parametrize(
    ("method", "envelope", "headers", "status", "code"),
    [
        ("tools/list", {}, {}, 400, -32602),
        ("tools/list", {VERSION_KEY: NEWEST}, {}, 400, -32602),
        ("tools/list", ENVELOPE, {"Mcp-Method": "tools/call"}, 400, -32020),
        ("tools/list", ENVELOPE, {"MCP-Protocol-Version": "2025-11-25"}, 400, -32020),
        ("tools/list", {**ENVELOPE, VERSION_KEY: ["2026-07-28"]}, {}, 400, -32020),
        ("initialize", ENVELOPE, {}, 404, -32601),
        ("ping", ENVELOPE, {}, 404, -32601),
        ("unknown", ENVELOPE, {}, 404, -32601),
    ],
)
def test_request_without_a_handshake_that_contradicts_itself_is_refused(
    method: str, envelope: Mapping[str, object], headers: Mapping[str, str], status: int, code: int
) -> None:
    response = ask_alone(method, envelope, headers)

    assert (response.status, members(response)["error"]["code"]) == (status, code)


def test_call_that_names_another_tool_to_proxies_is_refused() -> None:
    response = ask_alone("tools/call", headers={"Mcp-Name": "echo"}, name="shout", arguments={})

    assert (response.status, members(response)["error"]["code"]) == (400, -32020)


def test_revision_of_later_is_told_which_is_spoken() -> None:
    later = "2099-01-01"
    response = ask_alone("tools/list", {**ENVELOPE, VERSION_KEY: later}, {"MCP-Protocol-Version": later})

    assert response.status == 400
    error = members(response)["error"]
    assert (error["code"], error["data"]) == (-32022, {"supported": [NEWEST], "requested": later})


def test_notification_without_a_handshake_is_taken_without_a_word() -> None:
    body = json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"_meta": ENVELOPE}}).encode()

    assert ask(body, "reader", ("MCP-Protocol-Version", NEWEST)).status == 202
