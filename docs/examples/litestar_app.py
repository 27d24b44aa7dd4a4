"""Litestar: an authorization server at /auth and a route that its tokens open: `uvicorn litestar_app:app`."""

import secrets
import time
from html import escape
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.response import Redirect
from litestar.response.base import ASGIResponse

from oauthcore import (
    AuthorizationServer,
    Client,
    Login,
    MemoryStorage,
    Need,
    Paths,
    PendingInteraction,
    ResourceServer,
    Secret,
    World,
    run,
)
from oauthcore_asgi.litestar import Connection, OAuth, require

USERS = {"alice": "wonderland"}  # yours have hashed passwords
server = AuthorizationServer(
    issuer="http://localhost:8000/auth",
    paths=Paths(interaction="/consent"),  # the page below
    clock=time.time,
    entropy=secrets.token_bytes,
    token_key=secrets.token_bytes(32),  # keep yours: the same for all workers, and after every restart
)
world = World(MemoryStorage())
CB, GRANTS = ["https://app.example/cb"], ["authorization_code", "refresh_token"]
app_client = Client(client_id="app", redirect_uris=CB, grant_types=GRANTS, scope="profile email")
run(server.register(app_client, Secret("app-secret")), world)
phone = Client(
    client_id="phone", token_endpoint_auth_method="none", redirect_uris=CB, grant_types=GRANTS, scope="profile"
)
run(server.register(phone), world)


def login(request: Connection) -> Login | None:
    return Login(**request.session["login"]) if "login" in request.session else None


oauth = OAuth(server, world, login=login)
protected = require(ResourceServer(server.tokens), world, "profile")


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@get("/consent")
async def ask(request: Request[Any, Any, Any], interaction: str) -> Response[str]:
    pending = await oauth.interaction(interaction, login(request))
    if pending is None:
        return Response("This was answered already, or has waited for too long.", status_code=400)
    html = page(pending, oauth.form_token(request, interaction))
    return Response(html, media_type=MediaType.HTML, headers={"X-Frame-Options": "DENY"})


@post("/consent")
async def answer(request: Request[Any, Any, Any], interaction: str) -> ASGIResponse | Response[str] | Redirect:
    form = await request.form()
    if not oauth.is_form_token(request, interaction, form.get("csrf", "")):
        return Response("This form is not from here.", status_code=400)
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        request.session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
    who = login(request)
    if who is None or "allow" not in form:
        return Redirect(f"/consent?interaction={interaction}", status_code=303)
    if form["allow"] == "0":
        return await oauth.deny(interaction)
    return await oauth.finish(interaction, subject=who, scope=form.getall("scope", []))


@get("/me", guards=[protected])
async def me(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"sub": request.state.access.subject}


app = Litestar([ask, answer, me], plugins=[oauth], middleware=[ServerSideSessionConfig().middleware])
