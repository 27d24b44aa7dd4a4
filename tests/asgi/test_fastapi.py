"""FastAPI's own ways: the document that describes an API, and dependencies that tests replace."""

from __future__ import annotations

from typing import Annotated

import anyio
import httpx
from fastapi import FastAPI

from oauthcore import Access, AsyncWorld, ResourceServer
from oauthcore.testing import Outage
from oauthcore_asgi.fastapi import OAuth, protect
from tests.asgi.test_application import server
from tests.core.resource.test_server import access, stored

issuer, world = server(), AsyncWorld(stored())
resource_server = ResourceServer(issuer.tokens)
app = FastAPI()


@app.get("/me")
def me(
    token: Annotated[Access, protect(resource_server, world, {"read": "Read it"}, server=issuer)],
) -> dict[str, str | None]:
    return {"sub": token.subject}


def ask(app: FastAPI = app, **headers: str) -> httpx.Response:
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
    app.dependency_overrides[protect(resource_server, world).dependency] = lambda: access()
    try:
        assert ask().json() == {"sub": "alice"}
    finally:
        app.dependency_overrides.clear()


def test_token_is_checked_and_the_challenge_goes_out() -> None:
    response = ask()

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="oauthcore", scope="read"'


def test_storage_that_fails_is_a_503() -> None:
    failing = FastAPI()
    down = AsyncWorld(Outage(stored(), 0))
    failing.get("/me", dependencies=[protect(resource_server, down, "read")])(lambda: None)

    response = ask(failing, Authorization="Bearer token")

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_document_names_the_scopes_of_all_routes_and_what_they_are_for() -> None:
    mine = OAuth(server(), world)
    documented = FastAPI()
    documented.get("/a", dependencies=[mine.protect({"read": "Read it"})])(lambda: None)
    documented.get("/b", dependencies=[mine.protect("read write", acr_values="mfa", max_age=300)])(lambda: None)

    document = documented.openapi()

    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["flows"]["authorizationCode"]["scopes"] == {"read": "Read it", "write": ""}
    assert document["paths"]["/b"]["get"]["security"] == [{"oauth": ["read", "write"]}]


def test_document_of_another_issuers_resource_says_that_it_takes_bearer_tokens() -> None:
    documented = FastAPI()
    documented.get("/a", dependencies=[protect(resource_server, world, "read")])(lambda: None)

    assert documented.openapi()["components"]["securitySchemes"]["oauth"] == {"type": "http", "scheme": "bearer"}


def test_dependency_that_requires_a_stronger_login_is_another_one() -> None:
    """What a request was once found to have is remembered by FastAPI for what is equal."""
    plain, strong, same = (protect(resource_server, world, "read", acr_values=values) for values in ((), "mfa", ()))

    assert plain.dependency == same.dependency
    assert hash(plain.dependency) == hash(same.dependency)
    assert strong.dependency != plain.dependency
