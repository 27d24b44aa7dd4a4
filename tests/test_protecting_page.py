"""The page on protecting a resource: its code runs, as an application that takes another issuer's tokens."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import oauthcore_fetch
from oauthcore import Outgoing, Response
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import set_of
from tests.core.signing_keys import key_for

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "protecting.md").read_text(encoding="utf-8")
ISSUER = "https://login.example"
RESOURCE = "https://api.example/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Issuer:
    """Stand for the fetcher: what the issuer of the page publishes."""

    async def __call__(self, request: Outgoing) -> Response:
        if request.url == f"{ISSUER}/.well-known/openid-configuration":
            return Response(200, (), json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}).encode())
        return Response(200, (), set_of([key_for("ES256")])) if request.url == f"{ISSUER}/jwks" else Response(404)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(oauthcore_fetch, "AsyncFetcher", Issuer)
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "protecting.md", "exec"), names)
    return names["app"]


def ask(app: Any, method: str, path: str, **claims: Any) -> httpx.Response:
    """Ask with a token that has these claims, or without one where there are none."""
    now = time.time()
    known = {"iss": ISSUER, "aud": RESOURCE, "exp": now + 60, "sub": "alice", "client_id": "app"}
    token = sign_claims(known | claims, key_for("ES256"), "ES256", "at+jwt")
    headers = {"Authorization": f"Bearer {token}"} if claims else {}

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.example") as http:
            return await http.request(method, path, headers=headers)

    return anyio.run(call)


def test_token_of_the_issuer_opens_the_route(app: Any) -> None:
    assert ask(app, "GET", "/mcp", scope="files").json() == {"who": "alice"}
    assert ask(app, "GET", "/mcp", scope="files", aud="https://other.example").status_code == 401


def test_client_is_told_where_to_get_one(app: Any) -> None:
    refused = ask(app, "GET", "/mcp")

    url = re.findall('resource_metadata="https://api.example(.*?)"', refused.headers["www-authenticate"])[0]
    for path in (url, WELL_KNOWN):
        assert ask(app, "GET", path).json() == {
            "resource": RESOURCE,
            "bearer_methods_supported": ["header"],
            "authorization_servers": [ISSUER],
            "scopes_supported": ["files:read", "files"],
        }


def test_stronger_login_is_asked_for_and_does(app: Any) -> None:
    strong = {"scope": "files", "acr": "mfa", "auth_time": int(time.time()) - 9}

    assert ask(app, "DELETE", "/mcp", **strong).json() == {"deleted by": "alice"}
    assert 'acr_values="mfa", max_age="300"' in ask(app, "DELETE", "/mcp", scope="files").headers["www-authenticate"]
    assert ask(app, "DELETE", "/mcp", **strong | {"scope": "files:read"}).status_code == 403


def test_each_row_of_the_checklist_names_tests_that_there_are() -> None:
    named = re.findall(r"`(\S+?)::(test_g\d_)…`", PAGE)

    assert [prefix for _, prefix in named] == [f"test_g{number}_" for number in range(1, 8)]
    for path, prefix in named:
        assert re.search(rf"^def {prefix}\w+", (ROOT / "tests" / path).read_text(encoding="utf-8"), re.MULTILINE)
