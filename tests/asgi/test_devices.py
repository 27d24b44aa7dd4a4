"""A device at an ASGI application: its requests over HTTP, and the application's own page for its code (RFC 8628)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import attrs
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from oauthcore import AsyncWorld, AuthorizationServer, DeviceGrant, MemoryStorage, arun
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.records.login import Login
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_asgi.starlette import OAuth
from tests.core.devices.device_site import TV
from tests.core.resource.test_server import NOW
from tests.core.site import TOKEN_KEY

ALICE = Login(subject="alice", auth_time=NOW)


def device_server() -> AuthorizationServer:
    """Return a server at which devices may ask, below a prefix."""
    return AuthorizationServer(
        issuer="https://as.example/t",
        clock=FixedClock(NOW),
        entropy=SeededEntropy(1),
        token_key=TOKEN_KEY,
        device=DeviceGrant(),
    )


@attrs.frozen
class Host:
    """Be the application: it takes the code of who is signed in, and their answer."""

    oauth: OAuth

    async def enter(self, request: Request) -> Response:
        """Take the code."""
        form = await request.form()
        pending = await self.oauth.devices.enter(request, str(form["user_code"]), ALICE)
        assert pending is not None
        assert await self.oauth.devices.find(pending.id, ALICE) == pending
        return JSONResponse({"id": pending.id, "client": pending.client.name, "code": pending.user_code})

    async def answer(self, request: Request) -> Response:
        """Take the answer."""
        form = await request.form()
        if form["approval"] == "1":
            state = await self.oauth.devices.finish(str(form["id"]), ALICE, ["email"])
        else:
            state = await self.oauth.devices.deny(str(form["id"]), ALICE)
        return JSONResponse(state.value)


async def walked(approval: str) -> tuple[Mapping[str, Any], str, Mapping[str, Any], Mapping[str, Any]]:
    """Return what the page was shown, what became of it, and what the device was told before and after."""
    server, world = device_server(), AsyncWorld(MemoryStorage())
    await arun(server.clients.register(TV), world)
    oauth = OAuth(server, world)
    host = Host(oauth)
    routes = [
        Route("/device/enter", host.enter, methods=["POST"]),
        Route("/device/answer", host.answer, methods=["POST"]),
    ]
    app = Starlette(routes=[*routes, Mount("/t", oauth)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://as.example") as http:

        async def posted(path: str, **form: str) -> Any:
            return (await http.post(path, data=form)).json()

        codes = await posted("/t/device_authorization", client_id="tv", scope="email profile")
        poll = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"], "client_id": "tv"}
        before = await posted("/t/token", **poll)
        shown = await posted("/device/enter", user_code=codes["user_code"].lower())
        assert shown["code"] == codes["user_code"]
        state = await posted("/device/answer", id=shown["id"], approval=approval)
        return shown, state, before, await posted("/t/token", **poll)


def test_device_is_allowed_on_the_page_of_an_asgi_application() -> None:
    shown, state, before, after = anyio.run(walked, "1")

    assert (shown["client"], state, before["error"]) == ("Television", "approved", "authorization_pending")
    assert after["scope"] == "email"


def test_device_is_denied_on_the_page_of_an_asgi_application() -> None:
    _, state, _, after = anyio.run(walked, "0")

    assert (state, after["error"]) == ("denied", "access_denied")
