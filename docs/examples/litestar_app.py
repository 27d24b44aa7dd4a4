"""Litestar: an authorization server at /auth and a route that its tokens open: `uvicorn litestar_app:app`."""

import secrets
import time
from html import escape
from typing import Any

from attrs import evolve
from litestar import HttpMethod, Litestar, MediaType, Request, Response, get, route
from litestar.middleware.session.server_side import ServerSideSessionConfig

from oauthcore import Client, Login, MemoryStorage, Secret, World, run
from oauthcore_asgi.litestar import Connection, OAuth


def login(request: Connection) -> Login | None:
    return Login(**request.session["login"]) if "login" in request.session else None


USERS = {"alice": "wonderland"}  # yours have hashed passwords
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart
KINDS = ["authorization_code", "refresh_token"]
SIGN_IN = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
ASK = '{} asks for {}<br><button name="allow" value="1">Allow</button><button name="allow" value="">Deny</button>'
FORM = '<!doctype html><form method="post"><input type="hidden" name="csrf" value="{}">{}</form>'
world = World(MemoryStorage())
oauth = OAuth.at("http://localhost:8000/auth", world, KEY, interaction="/consent", login=login)
client = Client(client_id="app", redirect_uris=["https://app.example/cb"], scope="profile email", grant_types=KINDS)
clients = oauth.server.clients
run(clients.register(client, Secret("app-secret"), replace=True), world)  # the same once more changes nothing
run(clients.register(evolve(client, client_id="phone", token_endpoint_auth_method="none"), replace=True), world)


@route("/consent", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200, media_type=MediaType.HTML)
async def consent(request: Request[Any, Any, Any], interaction: str) -> Response[str] | Response[bytes]:
    form, pending = await request.form(), await oauth.interactions.find(interaction, login(request))
    if pending is None or (form and not oauth.interactions.is_form_token(request, interaction, form.get("csrf", ""))):
        return Response("This form is out of date.", status_code=400)
    if "allow" in form and (who := login(request)):
        if form["allow"]:
            scope = form.getall("scope", [])
            return await oauth.interactions.finish(interaction, subject=who, scope=scope)
        return await oauth.interactions.deny(interaction, subject=who)
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        request.session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
        return await oauth.interactions.finish(interaction, subject=Login(**request.session["login"]))
    boxes = "".join(f'<input type="checkbox" name="scope" value="{t}" checked>{t}' for t in map(escape, pending.scope))
    shown = SIGN_IN if pending.need == "login" else ASK.format(escape(pending.client.client_id), boxes)
    html = FORM.format(oauth.interactions.form_token(request, interaction), shown)
    return Response(html, headers={"X-Frame-Options": "DENY"})


@get("/me", guards=[oauth.protect("profile")])
async def me(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"sub": request.state.access.subject}


app = Litestar([consent, me], plugins=[oauth], middleware=[ServerSideSessionConfig().middleware])
