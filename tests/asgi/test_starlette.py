"""Starlette's own ways: who a request's user is, `requires`, and the pages of `oauthcore_pages` as routes."""

from __future__ import annotations

import anyio
import httpx
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from oauthcore import AsyncWorld, MemoryStorage, ResourceServer
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_asgi.starlette import BearerBackend, OAuth
from oauthcore_pages import Pages
from tests.asgi.test_application import server
from tests.core.resource.test_server import NOW, access, knows


async def who(request: Request) -> Response:
    user = request.user
    return JSONResponse([user.display_name, user.identity] if user.is_authenticated else [])


@requires("read")
async def read(request: Request) -> Response:
    return JSONResponse(list(request.auth.scopes))


@requires("delete")
async def delete(request: Request) -> Response:
    raise AssertionError("nobody may")


def ask(app: Starlette, path: str, token: str | None = "a") -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://as.example") as http:
            return await http.get(path, headers={} if token is None else {"Authorization": f"Bearer {token}"})

    return anyio.run(get)


def protected(resource_server: ResourceServer) -> Starlette:
    routes = [Route("/who", who), Route("/read", read), Route("/delete", delete)]
    return Starlette(routes=routes, middleware=[BearerBackend(resource_server, AsyncWorld(MemoryStorage())).middleware])


def test_bearer_is_the_user() -> None:
    assert ask(protected(knows(access())), "/who").json() == ["alice", "alice"]


def test_a_client_that_acts_for_itself_is_taken_for_no_person_of_its_name() -> None:
    """RFC 9700 section 4.15: here, a client that is called as a person is."""
    own = access(client_id="alice", subject=None)

    assert ask(protected(knows(own)), "/who").json() == ["alice@clients", "alice@clients"]


def test_request_without_a_token_is_nobodys_and_no_error() -> None:
    assert ask(protected(knows(access())), "/who", None).json() == []


def test_bad_token_is_challenged_wherever_it_is_brought() -> None:
    response = ask(protected(knows(None)), "/who")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_starlettes_own_requires_knows_the_scope() -> None:
    app = protected(knows(access()))

    assert ask(app, "/read").json() == ["read"]
    assert ask(app, "/delete").status_code == 403


def test_application_is_mounted_where_its_issuer_is() -> None:
    oauth = OAuth(server(), AsyncWorld(MemoryStorage()))
    app = Starlette(routes=[Mount("/t", oauth), Mount("/.well-known", oauth.well_known)])

    assert ask(app, "/t/token", None).status_code == 405
    assert ask(app, "/t/nothing", None).status_code == 404
    assert ask(app, "/.well-known/oauth-authorization-server/t", None).json()["issuer"] == "https://as.example/t"
    assert ask(app, "/.well-known/other", None).status_code == 404


def test_pages_are_routes_too() -> None:
    made = server()
    pages = Pages(made, key=bytes(32), clock=FixedClock(NOW), entropy=SeededEntropy(1))
    app = Starlette(routes=OAuth(made, AsyncWorld(MemoryStorage()), pages=pages).routes)

    assert 'type="password"' in ask(app, "/t/login", None).text
    assert ask(app, "/t/token", None).status_code == 405
