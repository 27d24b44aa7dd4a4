"""I4: what other authorization servers for MCP test themselves by, in each revision: tokens' lives, seen from outside.

The behaviours are those of the black-box suite of workers-oauth-provider; the code is this project's own. Clients of
2025-03-26 name no resource, and later ones do.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import attrs
import httpx
import pytest

from oauthcore import MemoryStorage, Resource, World
from oauthcore.openid import OpenID
from oauthcore_mcp import McpResource, oauth_for_mcp, protect_mcp
from tests.core.site import VERIFIER
from tests.mcp.site import SCOPES, authenticate
from tests.mcp.test_hosts import HOST, URL, Walker, replica
from tests.mcp.test_protect import echo
from tests.scale import scaled

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
CALLBACK = "https://app.example/cb"
BOTH = " ".join(SCOPES)


@attrs.define
class Flow:
    """Be a client of a revision that has registered itself, and the person who uses it."""

    http: httpx.AsyncClient
    revision: str
    client: dict[str, Any]

    @property
    def resource(self) -> dict[str, str]:
        """Return how requests name the resource."""
        return {} if self.revision == "2025-03-26" else {"resource": URL}

    async def code(self, scope: str = "files:read") -> dict[str, str]:
        """Log in; return what comes to the callback."""
        return await Walker(self.http).log_in(self.client["client_id"], CALLBACK, scope)

    async def ask(self, path: str = "/token", secret: str | None = None, **form: str) -> httpx.Response:
        """Ask, by the method that the client is registered with."""
        secret, headers = secret or self.client.get("client_secret", ""), {}
        if self.client["token_endpoint_auth_method"] == "client_secret_basic":
            pair = f"{self.client['client_id']}:{secret}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = self.client["client_id"]
        if self.client["token_endpoint_auth_method"] == "client_secret_post":
            form["client_secret"] = secret
        return await self.http.post(path, data=form, headers=headers)

    async def redeem(self, code: str, **changes: str) -> httpx.Response:
        """Redeem a code."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
        return await self.ask(**form | self.resource | changes)

    async def tokens(self, scope: str = "files:read") -> dict[str, Any]:
        """Log in, and return the tokens."""
        response = await self.redeem((await self.code(scope))["code"])
        assert response.status_code == 200, response.text
        members: dict[str, Any] = response.json()
        return members

    async def refresh(self, token: str, **more: str) -> httpx.Response:
        """Refresh."""
        return await self.ask(grant_type="refresh_token", refresh_token=token, **self.resource | more)

    async def opens(self, token: str) -> bool:
        """Return whether a token opens the MCP server."""
        return (await self.http.post("/mcp", headers={"Authorization": f"Bearer {token}"}, json={})).status_code == 200


async def register(http: httpx.AsyncClient, method: str, **more: Any) -> dict[str, Any]:
    grants = ["authorization_code", "refresh_token"]
    metadata = {"client_name": "x", "redirect_uris": [CALLBACK], "grant_types": grants}
    return await Walker(http).register(metadata | {"token_endpoint_auth_method": method} | more)


def walk(revision: str, scenario: Callable[[Flow], Awaitable[None]], method: str = "none", app: Any = None) -> None:
    """Let a scenario happen at a server of its own."""

    async def run() -> None:
        transport = httpx.ASGITransport(app or replica(MemoryStorage()))
        headers = {"MCP-Protocol-Version": revision}
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as http:
            await scenario(Flow(http, revision, await register(http, method)))

    anyio.run(run)


# The revisions differ in what a request has; what is answered is shown by the newest, by the first in `full`, and by
# all between them in `long`.
EARLIER = [pytest.param(revision, marks=[pytest.mark.slow, pytest.mark.long]) for revision in REVISIONS[: scaled(1, 3)]]
every_revision = pytest.mark.parametrize("revision", [*EARLIER, REVISIONS[-1]])


@every_revision
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_i4_code_is_exchanged_by_each_method_for_a_token_that_opens_the_resource(revision: str, method: str) -> None:
    async def scenario(flow: Flow) -> None:
        assert await flow.opens((await flow.tokens())["access_token"])

    walk(revision, scenario, method)


@every_revision
def test_i4_wrong_redirect_uri_does_not_spend_the_code(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        code = (await flow.code())["code"]
        refused = await flow.redeem(code, redirect_uri="https://evil.example/cb")

        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert (await flow.redeem(code)).status_code == 200

    walk(revision, scenario)


@every_revision
def test_i4_wrong_secret_is_challenged_and_does_not_spend_the_code(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        code = (await flow.code())["code"]
        refused = await flow.redeem(code, secret="wrong")

        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert (await flow.redeem(code)).status_code == 200

    walk(revision, scenario, "client_secret_basic")


@every_revision
def test_i4_code_that_comes_again_ends_the_tokens_of_before(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        code = (await flow.code())["code"]
        token = (await flow.redeem(code)).json()["access_token"]
        again = await flow.redeem(code)

        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert not await flow.opens(token)

    walk(revision, scenario)


@every_revision
def test_i4_refresh_may_be_tried_again_until_its_answer_was_used(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        first = (await flow.tokens())["refresh_token"]
        second = (await flow.refresh(first)).json()
        again = (await flow.refresh(first)).json()
        third = (await flow.refresh(again["refresh_token"])).json()
        replayed = await flow.refresh(first)

        assert second["refresh_token"] == again["refresh_token"] != first
        assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
        assert not await flow.opens(third["access_token"])

    walk(revision, scenario)


@every_revision
def test_i4_scope_of_a_refresh_narrows_and_does_not_widen(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        token = (await flow.tokens(BOTH))["refresh_token"]
        narrow = (await flow.refresh(token, scope="files:read")).json()
        wide = await flow.refresh(narrow["refresh_token"], scope=f"{BOTH} files:admin")

        assert narrow["scope"] == "files:read"
        assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")

    walk(revision, scenario)


@every_revision
def test_i4_revoked_access_token_leaves_its_refresh_token_good(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        tokens = await flow.tokens()
        revoked = await flow.ask("/revoke", token=tokens["access_token"], token_type_hint="access_token")

        assert revoked.status_code == 200
        assert not await flow.opens(tokens["access_token"])
        assert (await flow.refresh(tokens["refresh_token"])).status_code == 200

    walk(revision, scenario)


@every_revision
def test_i4_revoked_refresh_token_ends_its_access_token(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        tokens = await flow.tokens()
        await flow.ask("/revoke", token=tokens["refresh_token"], token_type_hint="refresh_token")

        assert not await flow.opens(tokens["access_token"])
        assert (await flow.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"

    walk(revision, scenario)


@every_revision
def test_i4_token_of_another_client_is_not_revoked(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        token = (await flow.tokens())["access_token"]
        other = attrs.evolve(flow, client=await register(flow.http, "none", client_name="other"))
        await other.ask("/revoke", token=token)

        assert await flow.opens(token)

    walk(revision, scenario)


@every_revision
def test_i4_callback_has_the_issuer_of_the_metadata_once(revision: str) -> None:
    async def scenario(flow: Flow) -> None:
        metadata = (await flow.http.get("/.well-known/oauth-authorization-server")).json()

        assert metadata["authorization_response_iss_parameter_supported"] is True
        assert (await flow.code())["iss"] == metadata["issuer"] == HOST

    walk(revision, scenario)


@every_revision
@pytest.mark.parametrize("resource", [f"{URL}#part", f"{HOST}/other", "mcp"])
def test_i4_resource_that_is_another_or_none_is_an_invalid_target(revision: str, resource: str) -> None:
    async def scenario(flow: Flow) -> None:
        code = (await flow.code())["code"]
        refused = await flow.redeem(code, resource=resource)

        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
        assert (await flow.redeem(code)).status_code == 200

    walk(revision, scenario)


@every_revision
def test_i4_offline_access_is_the_authorization_servers_and_not_the_resources(revision: str) -> None:
    world = World(MemoryStorage(), authenticate=authenticate)
    oauth = oauth_for_mcp(HOST, world, bytes(32), [Resource(URL, scopes=SCOPES)], openid=OpenID())
    app = protect_mcp(echo, McpResource(oauth, URL, "files:read"))

    async def scenario(flow: Flow) -> None:
        server = (await flow.http.get("/.well-known/oauth-authorization-server")).json()
        resource = (await flow.http.get("/.well-known/oauth-protected-resource/mcp")).json()
        challenge = (await flow.http.post("/mcp")).headers["www-authenticate"]

        assert "offline_access" in server["scopes_supported"]
        assert "offline_access" not in resource["scopes_supported"]
        assert "offline_access" not in challenge

    walk(revision, scenario, app=app)


def test_i4_blank_credentials_are_absent() -> None:
    async def scenario(flow: Flow) -> None:
        code = (await flow.code())["code"]

        assert (await flow.redeem(code, client_secret="", client_assertion="")).status_code == 200

    walk(REVISIONS[-1], scenario)


@pytest.mark.parametrize("name", ["code", "client_id", "refresh_token", "code_verifier", "redirect_uri", "scope"])
def test_i4_value_of_any_length_is_an_error_of_the_clients(name: str) -> None:
    async def scenario(flow: Flow) -> None:
        form = {"grant_type": "authorization_code", "client_id": flow.client["client_id"], "code": "x"}
        response = await flow.http.post("/token", data=form | {name: "x" * 60_000})

        assert response.status_code in {400, 401, 413}
        assert response.json()["error"]

    walk(REVISIONS[-1], scenario)


def test_i4_names_in_other_languages_are_no_obstacle_to_a_registration() -> None:
    async def scenario(flow: Flow) -> None:
        told = await register(
            flow.http, "none", **{"client_name#de": "Dateien", "client_uri#ja-Jpan-JP": "https://a.jp/"}
        )

        assert told["client_name"] == "x"

    walk(REVISIONS[-1], scenario)
