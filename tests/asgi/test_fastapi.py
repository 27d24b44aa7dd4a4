"""FastAPI's own ways: the document that describes an API, and dependencies that tests replace."""

from __future__ import annotations

from typing import Annotated

import anyio
import httpx
import pytest
from fastapi import FastAPI, Security

from oauthcore import Access, AsyncWorld
from oauthcore.testing import Outage
from oauthcore_asgi.fastapi import Protect
from tests.asgi.test_application import server
from tests.core.resource.test_server import access, stored

protect = Protect(server(), AsyncWorld(stored()), scopes={"read": "Read it"})
app = FastAPI()


@app.get("/me")
def me(token: Annotated[Access, Security(protect, scopes=["read"])]) -> dict[str, str | None]:
    return {"sub": token.subject}


def ask(**headers: str) -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
            return await http.get("/me", headers=headers)

    return anyio.run(get)


def test_document_says_which_scope_a_route_takes() -> None:
    document = app.openapi()

    flow = document["components"]["securitySchemes"]["oauth"]["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == "https://as.example/t/authorize"
    assert flow["tokenUrl"] == "https://as.example/t/token"
    assert flow["scopes"] == {"read": "Read it"}
    assert document["paths"]["/me"]["get"]["security"] == [{"oauth": ["read"]}]


def test_dependency_is_replaced_in_tests() -> None:
    app.dependency_overrides[protect] = lambda: access()
    try:
        assert ask().json() == {"sub": "alice"}
    finally:
        app.dependency_overrides.clear()


def test_token_is_checked_and_the_challenge_goes_out() -> None:
    response = ask()

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="oauthcore", scope="read"'


def test_storage_that_fails_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protect, "_world", AsyncWorld(Outage(stored(), 0)))

    response = ask(Authorization="Bearer token")

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
