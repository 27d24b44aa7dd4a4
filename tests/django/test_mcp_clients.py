"""I1: an MCP client at a Django project that is the authorization server and has a protected MCP endpoint, too."""

from __future__ import annotations

import secrets
import time
from contextlib import AsyncExitStack
from typing import Any

import anyio
import attrs
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from oauthcore import World, run
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth, protect, respond, wire_of
from oauthcore_h11.demo_mcp import PATH, REGISTRATION, DemoMcp, make_mcp, resources_of
from oauthcore_mcp import server_for_mcp
from oauthcore_pages import Pages
from tests.mcp.site import Host, Site, asgi, authenticate, listening, origin, wsgi

pytestmark = pytest.mark.slow


def urls_of(oauth: OAuth, mcp: DemoMcp, world: World) -> tuple[Any, ...]:
    """Return the project's URLs: the authorization server's, the endpoint's and that of its metadata."""

    def answer(request: HttpRequest) -> HttpResponse:
        asked = attrs.evolve(wire_of(request), body=request.body)
        return respond(mcp.endpoint.answer(asked, request.token))  # type: ignore[attr-defined]  # `protect` sets it

    reading = protect(mcp.resource_server, world, "read")(answer)
    writing = protect(mcp.resource_server, world, "read write")(answer)

    @csrf_exempt
    def endpoint(request: HttpRequest) -> HttpResponseBase:
        return writing(request) if b"write_note" in request.body else reading(request)

    def metadata(request: HttpRequest) -> HttpResponse:
        return respond(run(mcp.resource_server.handle(wire_of(request)), world))

    documents = [path(place[1:], metadata) for place in mcp.resource_server.metadata_paths]
    return (*oauth.urls, path(PATH[1:], endpoint), *documents)


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_i1_python_client_registers_itself_logs_in_calls_refreshes_and_steps_up_at_django(interface: str) -> None:
    """The authorization server, its storage and the endpoint are Django's; nothing else answers."""
    at, requests = listening(), list[str]()
    issuer, key = origin(at), secrets.token_bytes(32)
    server = server_for_mcp(issuer, key, resources_of(issuer), registration=REGISTRATION)
    world = World(DjangoStorage(), authenticate=authenticate)
    pages = Pages(server, key=key, clock=time.time, entropy=secrets.token_bytes)
    oauth, mcp = OAuth(server, world, pages=pages), make_mcp(server)

    async def scenario() -> None:
        async with AsyncExitStack() as serving:
            if interface == "wsgi":
                serving.enter_context(wsgi(WSGIHandler(), requests, at))
            else:
                await serving.enter_async_context(asgi(without_lifespan(ASGIHandler()), at))
            at_django = Site(issuer=issuer, url=mcp.url, server=server, world=world, requests=requests)
            host = Host(at_django, arguments={"text": "remember"})

            [first] = await host.call("whoami")
            assert host.memory.tokens is not None
            token = host.memory.tokens.access_token
            host.expire()
            [second] = await host.call("whoami")
            refreshed = host.memory.tokens.access_token
            # The SDK steps up from the second request on.
            said = await host.call("whoami", "write_note", "read_note")

        assert first.startswith("alice, by the client ")
        assert second == first
        assert refreshed != token
        assert said == [second, "It is written down.", "remember"]
        assert [asked["resource"] for asked in host.person.asked] == [mcp.url] * 2
        assert [set(asked["scope"].split()) - {"offline_access"} for asked in host.person.asked] == [
            {"read"},
            {"read", "write"},
        ]

    with override_settings(ROOT_URLCONF=urls_of(oauth, mcp, world)):
        anyio.run(scenario)
    connections.close_all()


def without_lifespan(app: Any) -> Any:
    """Return an application that is told nothing of beginning and end, of which Django's knows nothing."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})

    return application
