"""`protect_mcp`: the challenges that clients of MCP need, without an SDK and without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import anyio
import httpx
import pytest

from oauthcore import Access, ConfigurationError, MemoryStorage, Scope, Secret, World
from oauthcore.errors import TemporarilyUnavailable
from oauthcore.flow.effects import Flow, pure
from oauthcore.testing import FixedClock
from oauthcore_asgi.protect import ACCESS
from oauthcore_mcp import McpResource, Requirement, protect_mcp
from oauthcore_mcp.calls import MAX_BODY

NOW = 1_000_000
LATER = 2**40  # by the clock of the SDKs, which is the machine's
HOST = "https://api.example"
ISSUER = "https://login.example"
METADATA = f'resource_metadata="{HOST}/.well-known/oauth-protected-resource/mcp"'
WORLD = World(MemoryStorage())


def access(scope: str, **changes: Any) -> Access:
    known: dict[str, Any] = {"client_id": "app", "subject": "alice", "scope": Scope(tuple(scope.split()))}
    known |= {"issued_at": NOW, "expires_at": LATER, "audience": (f"{HOST}/mcp",), "acr": "pwd", "auth_time": NOW}
    return Access(**known | changes)


TOKENS = {
    "reader": access("files:read"),
    "writer": access("files:write"),
    "both": access("files:read files:write"),
    "everything": access("files:read files:write files:share", acr="mfa"),
    "nothing": access("other"),
    "others": access("files:read", audience=("https://other.example",)),
}


def find(token: Secret) -> Flow[Access | None]:
    if token.reveal() == "down":
        raise TemporarilyUnavailable("the issuer is down")
    return pure(TOKENS.get(token.reveal()))


def resource(url: str = f"{HOST}/mcp", **settings: Any) -> McpResource:
    known: dict[str, Any] = {"authorization_servers": [ISSUER], "world": WORLD, "scope": "files:read"}
    return McpResource(find, url, **known | settings)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Be an MCP server that says which path it was asked for, by whom, and with which body."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    said = {"path": scope["path"], "by": scope[ACCESS].subject if ACCESS in scope else None, "body": body.decode()}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def ask(
    settings: Mapping[str, Any] | McpResource,
    method: str = "POST",
    path: str = "/mcp",
    token: str | None = "reader",
    **more: Any,
) -> httpx.Response:
    """Ask a protected server."""
    protected = settings if isinstance(settings, McpResource) else resource(**settings)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(protect_mcp(echo, protected))
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
            return await http.request(method, path, headers=headers | more.pop("headers", {}), **more)

    return anyio.run(call)


def calling(tool: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}}


TOOLS: Any = {"tools": {"delete": "files:write", "share": "files:share", "sudo": Requirement.of("", ["mfa"])}}


def test_g2_no_credentials_get_one_challenge_with_scope_and_metadata_and_no_error() -> None:
    response = ask({}, token=None)

    assert response.status_code == 401
    assert response.headers.get_list("www-authenticate") == [
        f'Bearer realm="{HOST}/mcp", scope="files:read", {METADATA}'
    ]


def test_g3_token_that_is_unknown_gets_an_error_and_where_the_metadata_is() -> None:
    challenge = ask({}, token="unknown").headers["www-authenticate"]

    assert 'error="invalid_token"' in challenge
    assert METADATA in challenge


def test_g4_token_for_another_resource_opens_nothing() -> None:
    assert ask({}, token="others").status_code == 401


def test_g4_token_in_the_query_is_ignored() -> None:
    assert ask({}, token=None, path="/mcp?access_token=reader").status_code == 401


def test_g5_scope_that_falls_short_is_challenged_with_what_is_needed() -> None:
    response = ask({}, token="nothing")

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert 'scope="files:read"' in response.headers["www-authenticate"]
    assert METADATA in response.headers["www-authenticate"]


@pytest.mark.parametrize("token", ["reader", "nothing"])
def test_g5_a_tools_challenge_names_all_scopes_of_the_operation(token: str) -> None:
    response = ask(TOOLS, token=token, json=calling("delete"))

    assert response.status_code == 403
    assert 'scope="files:read files:write"' in response.headers["www-authenticate"]


def test_g5_hierarchy_of_scopes_is_honoured() -> None:
    implied = TOOLS | {"implies": lambda scope: [*scope, "files:read"] if "files:write" in scope else scope}

    assert ask(implied, token="writer", json=calling("delete")).status_code == 200


def test_g5_batch_is_refused_once_for_all_of_its_tools() -> None:
    response = ask(TOOLS, json=[calling("delete"), calling("share"), calling("read")])

    assert 'scope="files:read files:write files:share"' in response.headers["www-authenticate"]


@pytest.mark.parametrize("order", [("sudo", "read"), ("sudo", "sign"), ("sign", "sudo")])
def test_batch_is_refused_for_one_of_its_tools_whatever_else_it_calls(order: tuple[str, str]) -> None:
    """RFC 9470 section 3: each of them takes its own login, and what one refuses no other allows."""
    tools: Any = {"tools": {"sudo": Requirement.of("", ["mfa"]), "sign": Requirement.of("", ["pwd"])}}

    response = ask(tools, json=[calling(tool) for tool in order])

    assert response.status_code == 401
    assert 'acr_values="mfa"' in response.headers["www-authenticate"]


def test_tool_that_takes_another_login_says_which() -> None:
    response = ask(TOOLS, json=calling("sudo"))

    assert response.status_code == 401
    assert 'error="insufficient_user_authentication"' in response.headers["www-authenticate"]
    assert 'acr_values="mfa"' in response.headers["www-authenticate"]


@pytest.mark.parametrize("tool", ["read", "", None, 7, ["delete"]])
def test_tool_that_takes_no_more_is_called_and_its_request_arrives_whole(tool: object) -> None:
    response = ask(TOOLS, json=calling(tool))

    assert json.loads(response.json()["body"]) == calling(tool)


def test_tool_is_called_with_the_scope_for_it() -> None:
    assert ask(TOOLS, token="both", json=calling("delete")).json()["by"] == "alice"


@pytest.mark.parametrize(
    "body",
    [
        b'{"method": "ping", "method": "tools/call", "params": {"name": "delete"}}',
        b'{"method": "tools/call", "params": {"name": "delete", "name": "read"}}',
        json.dumps(calling("delete")).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(calling("delete")).encode(),
        b'{"method": NaN}',
        b"[" * 100_000,
        b"",
    ],
)
def test_body_that_two_readers_could_understand_differently_is_refused(body: bytes) -> None:
    response = ask(TOOLS, content=body)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32700


def test_body_that_ends_in_the_middle_calls_nothing() -> None:
    """A server may take what has come for all of it."""

    async def call() -> Any:
        left = [{"type": "http.request", "body": json.dumps(calling("delete")).encode(), "more_body": True}]

        async def receive() -> Any:
            return left.pop() if left else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        sent: list[Any] = []
        scope: Any = {"type": "http", "method": "POST", "path": "/mcp", "query_string": b""}
        await protect_mcp(echo, resource(**TOOLS))(
            scope | {"headers": [(b"authorization", b"Bearer reader")]}, receive, send
        )
        return sent[0]["status"]

    assert anyio.run(call) == 400


def test_body_that_is_too_large_to_be_looked_into_is_refused() -> None:
    assert ask(TOOLS, content=b" " * (MAX_BODY + 1)).status_code == 413


def test_body_of_a_stranger_is_not_read() -> None:
    async def call() -> list[int]:
        async def receive() -> Any:
            raise AssertionError("the body is read")

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        statuses: list[int] = []
        scope = {"type": "http", "method": "POST", "path": "/mcp", "query_string": b"", "headers": []}
        await protect_mcp(echo, resource(**TOOLS))(scope, receive, send)
        return statuses

    assert anyio.run(call) == [401, 0]


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
@pytest.mark.parametrize("url", [f"{HOST}/mcp", f"{HOST}/mcp/"])
def test_g6_path_is_served_with_a_slash_and_without_and_never_redirected(url: str, path: str) -> None:
    told = resource(url, audience=f"{HOST}/mcp")

    assert ask(told, path=path).json()["path"] == told.path


@pytest.mark.parametrize("path", ["/mcp2", "/mcp/x", "/", "/health"])
def test_b6_other_paths_stay_what_they_are_and_need_a_token_as_well(path: str) -> None:
    assert ask({}, path=path).json()["path"] == path
    assert ask({}, path=path, token=None).status_code == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_g6_scheme_is_taken_in_any_case_and_with_more_spaces(scheme: str) -> None:
    assert ask({}, token=None, headers={"Authorization": f"{scheme} reader"}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_g6_streams_and_the_end_of_a_session_need_a_token_too(method: str) -> None:
    assert ask({}, method, token=None).status_code == 401
    assert ask({}, method).status_code == 200


@pytest.mark.parametrize("where", ["/mcp", ""])
def test_g1_metadata_is_served_by_path_and_at_the_root_without_a_token(where: str) -> None:
    response = ask(TOOLS, "GET", f"/.well-known/oauth-protected-resource{where}", token=None)

    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "resource": f"{HOST}/mcp",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["files:read", "files:write", "files:share"],
    }


def test_g1_metadata_passes_a_preflight_of_a_browser_client() -> None:
    headers = {"Origin": "https://inspector.example", "Access-Control-Request-Method": "GET"}
    headers["Access-Control-Request-Headers"] = "mcp-protocol-version"

    response = ask({}, "OPTIONS", "/.well-known/oauth-protected-resource/mcp", token=None, headers=headers)

    assert response.status_code in {200, 204}
    assert "mcp-protocol-version" in response.headers["access-control-allow-headers"].lower()


def test_g7_nobody_who_could_be_asked_is_503_and_no_word_about_the_token() -> None:
    response = ask({}, token="down")

    assert response.status_code == 503
    assert "www-authenticate" not in response.headers


def test_lifespan_reaches_the_server() -> None:
    async def call() -> str:
        async def server(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["type"])

        seen: list[str] = []
        await protect_mcp(server, resource())({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # not called
        return seen[0]

    assert anyio.run(call) == "lifespan"


@pytest.mark.parametrize("method", ["POST", "post", "PUT"])
def test_tool_is_found_in_a_body_by_whatever_method_it_comes(method: str) -> None:
    assert ask(TOOLS, method=method, json=calling("delete")).status_code == 403


@pytest.mark.parametrize(("token", "opens"), [("reader", False), ("both", False), ("everything", True)])
def test_web_socket_takes_what_every_tool_takes_since_its_messages_are_not_read(token: str, *, opens: bool) -> None:
    opened = []

    async def server(scope: Any, receive: Any, send: Any) -> None:
        opened.append(scope["type"])

    async def call() -> None:
        async def send(message: Any) -> None:
            assert message["type"] == "websocket.close"

        headers = [(b"authorization", f"Bearer {token}".encode())]
        scope: Any = {"type": "websocket", "path": "/mcp", "query_string": b"", "headers": headers}
        await protect_mcp(server, resource(**TOOLS))(scope, None, send)  # type: ignore[arg-type]  # not called

    anyio.run(call)

    assert opened == (["websocket"] if opens else [])


def test_web_socket_is_refused_without_a_token() -> None:
    async def call() -> Any:
        async def send(message: Any) -> None:
            sent.append(message)

        sent: list[Any] = []
        scope: Any = {"type": "websocket", "path": "/mcp", "query_string": b"", "headers": []}
        await protect_mcp(echo, resource())(scope, None, send)  # type: ignore[arg-type]  # not called
        return sent[0]["type"]

    assert anyio.run(call) == "websocket.close"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"world": None}, "world"),
        ({"authorization_servers": None}, "authorization_servers"),
        ({"tools": {"delete": 'files"'}}, "scope"),
        ({"tools": {"delete": Requirement.of("", max_age=60)}}, "clock"),
        ({"scope": "offline_access"}, "scope"),
        ({"url": "mcp"}, "resource"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resource(**settings)

    assert caught.value.setting == named


def test_age_of_a_login_is_known_by_the_clock_that_is_given() -> None:
    told = resource(tools={"delete": Requirement.of("", max_age=60)}, clock=FixedClock(NOW + 61))

    assert ask(told, json=calling("read")).status_code == 200
    assert 'max_age="60"' in ask(told, json=calling("delete")).headers["www-authenticate"]


PLACES = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/mcp",
    "/mcp/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource/elsewhere",
]


@pytest.mark.parametrize("path", PLACES)
def test_a2_place_without_metadata_is_a_404_that_a_clients_page_may_read(path: str) -> None:
    page = {"Origin": "https://inspector.example"}

    response = ask({}, "GET", path, token=None, headers=page)
    asked = page | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "mcp-protocol-version"}
    preflight = ask({}, "OPTIONS", path, token=None, headers=asked)

    assert (response.status_code, preflight.status_code) == (404, 204)
    assert "www-authenticate" not in response.headers
    assert response.headers["access-control-allow-origin"] == preflight.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path", ["/.well-known/mcp.json", "/well-known/openid-configuration", "/mcp/openid-configuration"]
)
def test_whatever_else_the_application_has_takes_a_token(path: str) -> None:
    assert ask({}, "GET", path, token=None).status_code == 401
