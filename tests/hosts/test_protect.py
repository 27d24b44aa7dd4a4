"""A protected route answers the same, byte for byte, whatever framework it is a route of.

The frameworks are called in this process; what the resource server itself decides is what they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Annotated, Any

import anyio
import httpx
import pytest

from oauthcore import (
    Access,
    AsyncWorld,
    MemoryStorage,
    Request,
    ResourceServer,
    Response,
    Scope,
    Secret,
    World,
    run,
)
from oauthcore.errors import TemporarilyUnavailable
from oauthcore.flow.effects import Flow, pure
from oauthcore.testing import FixedClock
from oauthcore.wire.http import complete

NOW = 1_000_000
RESOURCE = "https://api.example/mcp"
REQUIRED: dict[str, Any] = {"scope": "read write", "acr_values": ["mfa", "hwk"], "max_age": 300}


def access(**changes: Any) -> Access:
    known: dict[str, Any] = {"client_id": "app", "subject": "alice", "scope": Scope(("read", "write"))}
    known |= {"issued_at": NOW, "expires_at": NOW + 60, "audience": (RESOURCE,), "acr": "mfa", "auth_time": NOW - 9}
    return Access(**known | changes)


TOKENS = {
    "good": access(),
    "others": access(audience=("https://other.example",)),
    "weak": access(acr="pwd"),
    "old": access(auth_time=NOW - 301),
    "narrow": access(scope=Scope(("read",))),
    "bound": access(cnf={"jkt": "x"}),
}


def find(token: Secret) -> Flow[Access | None]:
    if token.reveal() == "down":
        raise TemporarilyUnavailable("the issuer is down")
    return pure(TOKENS.get(token.reveal()))


SERVER = ResourceServer(find, resource=RESOURCE, authorization_servers=["https://as.example"], clock=FixedClock(NOW))
WORLD, ASYNC_WORLD = World(MemoryStorage()), AsyncWorld(MemoryStorage())
Answer = tuple[int, list[tuple[str, str]], bytes]
Ask = Callable[[list[tuple[str, str]]], Answer]


def as_answer(status: int, headers: Any, body: bytes) -> Answer:
    """Return an answer with what is the frameworks' own left out."""
    kept = sorted((name.lower(), value) for name, value in headers)
    return status, [pair for pair in kept if pair[0] not in {"date", "server", "content-length", "vary"}], body


def core(headers: list[tuple[str, str]]) -> Answer:
    verdict = run(SERVER.protect(**REQUIRED).verify(Request("GET", "/mcp", headers)), WORLD)
    if isinstance(verdict, Response):
        return as_answer(verdict.status, complete(verdict), verdict.body)
    return 200, [], str(verdict.subject).encode()


def asgi(application: Any) -> Ask:
    def ask(headers: list[tuple[str, str]]) -> Answer:
        async def get() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="https://api") as http:
                return await http.get("/mcp", headers=headers)

        answer = anyio.run(get)
        return as_answer(answer.status_code, answer.headers.multi_items(), answer.content)

    return ask


def wsgi(application: Any) -> Ask:
    def ask(headers: list[tuple[str, str]]) -> Answer:
        started: list[Any] = []
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/mcp",
            "SERVER_NAME": "api",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers}
        pieces = application(environ, lambda status, answered, *_: started.append((status, answered)))
        ((status, answered),) = started
        return as_answer(int(status.split(" ")[0]), answered, b"".join(pieces))

    return ask


def starlette() -> Ask:
    from starlette.applications import Starlette
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from oauthcore_asgi.starlette import protect

    @protect(SERVER, ASYNC_WORLD, **REQUIRED)
    async def mcp(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse(request.state.access.subject)

    return asgi(Starlette(routes=[Route("/mcp", mcp)]))


def starlette_backend() -> Ask:
    from starlette.applications import Starlette
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from oauthcore_asgi.starlette import BearerBackend

    backend = BearerBackend(SERVER, ASYNC_WORLD)

    @backend.protect(**REQUIRED)
    async def mcp(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse(request.user.access.subject)

    return asgi(Starlette(routes=[Route("/mcp", mcp)], middleware=[backend.middleware]))


def fastapi() -> Ask:
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    from oauthcore_asgi.fastapi import Refused, answer_refused, protect

    app = FastAPI()
    app.add_exception_handler(Refused, answer_refused)

    async def mcp(token: Any) -> PlainTextResponse:
        return PlainTextResponse(token.subject)

    mcp.__annotations__["token"] = Annotated[Access, protect(SERVER, ASYNC_WORLD, **REQUIRED)]
    app.get("/mcp")(mcp)
    return asgi(app)


def litestar() -> Ask:
    from litestar import Litestar, get
    from litestar import Request as LitestarRequest

    from oauthcore_asgi.litestar import Refused, answer_refused, protect

    @get("/mcp", guards=[protect(SERVER, ASYNC_WORLD, **REQUIRED)], media_type="text/plain")
    async def mcp(request: LitestarRequest[Any, Any, Any]) -> str:
        return str(request.state.access.subject)

    mcp.fn.__annotations__ |= {"request": LitestarRequest[Any, Any, Any], "return": str}
    return asgi(Litestar([mcp], exception_handlers={Refused: answer_refused}))


def quart() -> Ask:
    from quart import Quart, g

    from oauthcore_asgi.quart import protect

    app = Quart(__name__)

    @app.get("/mcp")
    @protect(SERVER, ASYNC_WORLD, **REQUIRED)
    async def mcp() -> str:
        return str(g.token.subject)

    return asgi(app)


def aiohttp() -> Ask:
    from aiohttp import web
    from aiohttp.test_utils import make_mocked_request

    from oauthcore_asgi.aiohttp import ACCESS, protect

    @protect(SERVER, ASYNC_WORLD, **REQUIRED)
    async def mcp(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request[ACCESS].subject)

    def ask(headers: list[tuple[str, str]]) -> Answer:
        from multidict import CIMultiDict

        async def get() -> web.StreamResponse:
            return await mcp(make_mocked_request("GET", "/mcp", CIMultiDict(headers)))

        answer = anyio.run(get)
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        return as_answer(answer.status, answer.headers.items(), answer.body)

    return ask


def plain_asgi() -> Ask:
    from oauthcore_asgi import ACCESS, Bearer
    from oauthcore_asgi.wire import Answer as Spelled

    async def mcp(scope: Any, receive: Any, send: Any) -> None:
        await Spelled(Response(200, (), scope[ACCESS].subject.encode()))(scope, receive, send)

    return asgi(Bearer(mcp, SERVER, ASYNC_WORLD, **REQUIRED))


def plain_wsgi() -> Ask:
    from oauthcore_wsgi import ACCESS, Bearer

    def mcp(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ[ACCESS].subject.encode()]

    return wsgi(Bearer(mcp, SERVER, WORLD, **REQUIRED))


def flask() -> Ask:
    from flask import Flask, g

    from oauthcore_wsgi.flask import protect

    app = Flask(__name__)

    @app.get("/mcp")
    @protect(SERVER, WORLD, **REQUIRED)
    def mcp() -> str:
        return str(g.token.subject)

    return wsgi(app)


def bottle() -> Ask:
    from bottle import Bottle, request

    from oauthcore_wsgi.bottle import protect

    app = Bottle()

    @app.get("/mcp")  # type: ignore[untyped-decorator]  # Bottle has no types
    @protect(SERVER, WORLD, **REQUIRED)
    def mcp() -> str:
        return str(request.token.subject)

    return wsgi(app)


def django() -> Ask:
    from django.conf import settings

    if not settings.configured:
        import_module("tests.django.conftest")
    from django.http import HttpRequest, HttpResponse
    from django.test import RequestFactory

    from oauthcore_django.views import protect

    @protect(SERVER, WORLD, **REQUIRED)
    def mcp(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.token.subject)  # type: ignore[attr-defined]  # the decorator's

    def ask(headers: list[tuple[str, str]]) -> Answer:
        answer = mcp(RequestFactory().get("/mcp", headers=dict(headers)))
        assert isinstance(answer, HttpResponse)
        return as_answer(answer.status_code, answer.items(), answer.content)

    return ask


HOSTS = (
    *(plain_asgi, starlette, starlette_backend, fastapi, litestar, quart, aiohttp),
    *(plain_wsgi, flask, bottle, django),
)
Asked = list[tuple[str, str]]
REQUESTS: dict[str, Asked] = {
    "no token": [],
    "another scheme": [("Authorization", "Basic YTpi")],
    "no single token": [("Authorization", "Bearer a b")],
    "what is no token": [("Authorization", "Bearer a,b")],
    **{token: [("Authorization", f"bearer  {token}")] for token in ("unknown", "down", *TOKENS)},
}


# Starlette's middleware refuses these where no route is known yet, so that its challenge names no scope.
BEFORE_THE_ROUTE = {"no single token", "what is no token", "unknown", "others", "bound"}


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: str(host.__name__))
def test_a_protected_route_answers_as_the_resource_server_decides(host: Callable[[], Ask]) -> None:
    ask = host()

    for name, headers in REQUESTS.items():
        if host is starlette_backend and name in BEFORE_THE_ROUTE:
            continue
        expected, found = core(headers), ask(headers)
        if expected[0] == 200:
            assert (found[0], found[2]) == (200, expected[2]), name
        else:
            assert found == expected, name


def test_what_they_are_compared_with_is_a_challenge_of_each_kind() -> None:
    found = {
        name: (core(headers)[0], dict(core(headers)[1]).get("www-authenticate")) for name, headers in REQUESTS.items()
    }

    metadata = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp"'
    assert found["no token"] == (401, f'Bearer realm="{RESOURCE}", scope="read write", {metadata}')
    assert {name: status for name, (status, _) in found.items()} == {
        **dict.fromkeys(("no token", "another scheme", "what is no token", "unknown", "others", "bound"), 401),
        "no single token": 400,
        "down": 503,
        "good": 200,
        "weak": 401,
        "old": 401,
        "narrow": 403,
    }
    assert 'error="insufficient_user_authentication"' in str(found["weak"][1])
    assert f'acr_values="mfa hwk", max_age="300", scope="read write", {metadata}' in str(found["old"][1])
    assert 'error="insufficient_scope"' in str(found["narrow"][1])


@pytest.mark.parametrize("host", ["fastapi", "litestar"])
def test_framework_that_answers_exceptions_itself_sends_the_challenge_all_the_same(host: str) -> None:
    """Without `answer_refused` the body is the framework's."""
    application: Any
    if host == "fastapi":
        from fastapi import FastAPI

        from oauthcore_asgi.fastapi import protect as dependency

        application = FastAPI()
        application.get("/mcp", dependencies=[dependency(SERVER, ASYNC_WORLD, **REQUIRED)])(lambda: None)
    else:
        from litestar import Litestar, get

        from oauthcore_asgi.litestar import protect as guard

        async def mcp() -> None:
            raise AssertionError("nobody may")

        mcp.__annotations__["return"] = None
        application = Litestar([get("/mcp", guards=[guard(SERVER, ASYNC_WORLD, **REQUIRED)])(mcp)])

    status, headers, _ = asgi(application)([])

    assert (status, dict(headers)["www-authenticate"]) == (401, dict(core([])[1])["www-authenticate"])
