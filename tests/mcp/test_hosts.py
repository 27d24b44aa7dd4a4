"""Clients in the shapes of Claude Code, ChatGPT and Cursor complete the flow at an MCP server: log in, call, refresh.

They are walked over ASGI, without a network: what they register or publish, and which redirect URI, method and key they
then use, is theirs.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import httpx
import pytest

from oauthcore import MemoryStorage, Resource, World
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.flow.storage import Storage
from oauthcore.jose.crypto import sign_claims
from oauthcore_mcp import McpResource, oauth_for_mcp, protect_mcp
from oauthcore_sqlite import SqliteStorage
from tests.core.clients.publishing import CHATGPT, CHATGPT_KEYS, CLAUDE_AI, CLAUDE_CODE, CURSOR, DOCUMENTS, KEY, Hosts
from tests.core.site import CHALLENGE, VERIFIER
from tests.mcp.site import SCOPES, authenticate
from tests.mcp.test_protect import echo
from tests.pages.html import Page

HOST = "https://mcp.example"
URL = f"{HOST}/mcp"

CLAUDE_CODE_ANSWERS_AT = "http://localhost:51735/callback"
CHATGPT_CALLBACK = "https://chatgpt.com/connector/oauth/abc123"
CURSOR_ANSWERS_AT = "cursor://anysphere.cursor-mcp/oauth/callback"


def registration(client_id: str, **changes: Any) -> dict[str, Any]:
    """Return what a client sends that registers what it could publish."""
    kept = ("client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method")
    members = {name: DOCUMENTS[client_id][name] for name in kept if name in DOCUMENTS[client_id]} | changes
    return {name: value for name, value in members.items() if value is not None}


class Walker:
    """Be a client, and the browser of the person who uses it."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def register(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Register; return what it is told."""
        response = await self.http.post("/register", json=metadata)
        assert response.status_code == 201, response.text
        told: dict[str, Any] = response.json()
        return told

    async def log_in(self, client_id: str, redirect_uri: str, scope: str) -> dict[str, str]:
        """Ask for a login, fill in each page, and return what the client is told."""
        asked = {"client_id": client_id, "redirect_uri": redirect_uri, "scope": scope, "resource": URL, "state": "s"}
        asked |= {"response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        response = await self.http.get("/authorize", params=asked)
        for _ in range(9):
            if response.has_redirect_location:
                location = response.headers["location"]
                if location.startswith(redirect_uri):
                    return dict(parse_qsl(urlsplit(location).query))
                response = await self.http.get(location)
                continue
            assert response.status_code == 200, response.text
            page = Page.of(response.text)
            more = [("username", "alice"), ("password", "wonderland")]
            if "password" not in page.form:
                more = [*page.checkboxes, next(button for button in page.buttons if button[1] == "1")]
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            response = await self.http.post(page.action or "", content=page.submission(*more), headers=form)
        raise AssertionError("it goes round in circles")

    async def tokens(self, **form: str) -> dict[str, Any]:
        """Ask for tokens."""
        response = await self.http.post("/token", data=form)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    async def call(self, token: str) -> httpx.Response:
        """Call the MCP server."""
        return await self.http.post("/mcp", headers={"Authorization": f"Bearer {token}"}, json={"jsonrpc": "2.0"})


def show(method: str, client_id: str) -> dict[str, str]:
    """Return what a client proves with who it is."""
    if method == "none":
        return {"client_id": client_id}
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": HOST, "exp": now + 60, "iat": now, "jti": str(time.time_ns())}
    return {"client_assertion": sign_claims(claims, KEY, "RS256", "JWT"), "client_assertion_type": ASSERTION_TYPE}


def replica(storage: Storage) -> Any:
    """Return an MCP server with its authorization server, as one process has them."""
    world = World(storage, authenticate=authenticate, fetch=Hosts())
    oauth = oauth_for_mcp(HOST, world, bytes(32), [Resource(URL, scopes=SCOPES)])
    return protect_mcp(echo, McpResource(oauth, URL, "files:read"))


def walk(
    redirect_uri: str, client_id: str | None, metadata: dict[str, Any] | None, method: str = "none", app: Any = None
) -> None:
    """Be such a client from the first request to a refreshed token."""
    app = app or replica(MemoryStorage())

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as http:
            client = Walker(http)
            challenge = (await http.post("/mcp")).headers["www-authenticate"]
            assert 'scope="files:read"' in challenge
            known = client_id or (await client.register(metadata or {}))["client_id"]

            told = await client.log_in(known, redirect_uri, "files:read")
            given = {"grant_type": "authorization_code", "code": told["code"], "code_verifier": VERIFIER}
            first = await client.tokens(**given, redirect_uri=redirect_uri, resource=URL, **show(method, known))
            second = first
            if "refresh_token" in first:  # RFC 7591 section 2: who names no grant types has the code alone
                again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "resource": URL}
                second = await client.tokens(**again, **show(method, known))

            assert (told["iss"], told["state"]) == (HOST, "s")
            assert first["scope"] == "files:read"
            assert ("refresh_token" in first) == (metadata is None or "grant_types" in metadata)
            assert (await client.call(second["access_token"])).json()["by"] == "alice"

    anyio.run(run)


@pytest.mark.parametrize(
    ("client_id", "redirect_uri", "method"),
    [
        (CLAUDE_CODE, CLAUDE_CODE_ANSWERS_AT, "none"),
        (CLAUDE_AI, "https://claude.ai/api/mcp/auth_callback", "none"),
        (CHATGPT, CHATGPT_CALLBACK, "private_key_jwt"),
        (CURSOR, "http://localhost:8787/callback", "none"),
    ],
)
def test_host_that_publishes_what_it_is_completes_the_flow(client_id: str, redirect_uri: str, method: str) -> None:
    walk(redirect_uri, client_id, None, method)


LOOPBACK = "http://localhost:33418/callback"


@pytest.mark.parametrize(
    ("metadata", "redirect_uri", "method"),
    [
        (registration(CLAUDE_CODE), CLAUDE_CODE_ANSWERS_AT, "none"),
        # The TypeScript SDK 1.x sends no more than this, of an application that says no more.
        ({"client_name": "x", "redirect_uris": [LOOPBACK]}, LOOPBACK, "none"),
        (registration(CLAUDE_AI, scope="files:read"), "https://claude.ai/api/mcp/auth_callback", "none"),
        (registration(CHATGPT, jwks_uri=CHATGPT_KEYS), CHATGPT_CALLBACK, "private_key_jwt"),
        (registration(CURSOR), CURSOR_ANSWERS_AT, "none"),
        (registration(CURSOR, response_types=None), "https://www.cursor.com/agents/mcp/oauth/callback", "none"),
    ],
)
def test_host_that_registers_itself_completes_the_flow(
    metadata: dict[str, Any], redirect_uri: str, method: str
) -> None:
    walk(redirect_uri, None, metadata, method)


class Restarted:
    """Be an MCP server of which every request meets another process, that has just been started."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Start, answer one request, and end."""
        with closing(SqliteStorage(self._file)) as storage:
            await replica(storage)(scope, receive, send)


@pytest.mark.slow
def test_i3_each_step_of_a_login_may_meet_another_replica_that_has_just_been_started(tmp_path: Path) -> None:
    walk(CURSOR_ANSWERS_AT, None, registration(CURSOR), app=Restarted(tmp_path / "mcp.db"))


@pytest.mark.slow
def test_i3_client_that_publishes_what_it_is_may_meet_another_replica_each_time(tmp_path: Path) -> None:
    walk(CHATGPT_CALLBACK, CHATGPT, None, "private_key_jwt", app=Restarted(tmp_path / "mcp.db"))


def test_metadata_says_that_clients_may_publish_what_they_are() -> None:
    oauth = oauth_for_mcp(HOST, World(MemoryStorage()), bytes(32), [Resource(URL, scopes=SCOPES)])

    async def run() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(oauth), base_url=HOST) as http:
            told: dict[str, Any] = (await http.get("/.well-known/oauth-authorization-server")).json()
            return told

    document = anyio.run(run)

    assert document["client_id_metadata_document_supported"] is True
    assert document["registration_endpoint"] == f"{HOST}/register"
    assert document["scopes_supported"] == list(SCOPES)
