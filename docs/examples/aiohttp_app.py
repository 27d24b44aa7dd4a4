"""aiohttp: an authorization server at /auth and a route that its tokens open: `python aiohttp_app.py`."""

import os
import secrets
import time
from html import escape
from typing import Any

from aiohttp import web

from oauthcore import AuthorizationServer, Client, Login, MemoryStorage, Paths, PendingInteraction, Secret, World, run
from oauthcore_asgi.aiohttp import ACCESS, OAuth

USERS = {"alice": "wonderland"}  # yours have hashed passwords
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart
PATHS = Paths(interaction="/consent")  # the page below
server = AuthorizationServer(
    issuer="http://localhost:8000/auth", paths=PATHS, clock=time.time, entropy=secrets.token_bytes, token_key=KEY
)
world = World(MemoryStorage())
MAY: dict[str, Any] = {"scope": "profile email", "grant_types": ["authorization_code", "refresh_token"]}
app_client = Client(client_id="app", redirect_uris=["https://app.example/cb"], **MAY)
run(server.register(app_client, Secret("app-secret")), world)
phone = Client(client_id="phone", token_endpoint_auth_method="none", redirect_uris=["https://app.example/cb"], **MAY)
run(server.register(phone), world)

SESSIONS: dict[str, Login] = {}


def login(request: web.Request) -> Login | None:
    return SESSIONS.get(request.cookies.get("session", ""))


oauth = OAuth(server, world, login=login)


def page(pending: PendingInteraction, csrf: str) -> str:
    box = '<br><input type="checkbox" name="scope" value="{0}" checked>{0}'
    boxes = "".join(box.format(escape(token)) for token in pending.scope)
    sign_in = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    ask = f'{escape(pending.client.client_id)} asks for: {boxes}<br><button name="allow" value="1">Allow</button>'
    fields = sign_in if pending.need == "login" else ask + '<button name="allow" value="">Deny</button>'
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


async def consent(request: web.Request) -> web.Response:
    interaction, form = request.query.get("interaction", ""), await request.post()
    pending = await oauth.interaction(interaction, login(request))
    if pending is None or (form and not oauth.is_form_token(request, interaction, str(form.get("csrf")))):
        return web.Response(text="This form is out of date.", status=400)
    if not form:
        html, headers = page(pending, oauth.form_token(request, interaction)), {"X-Frame-Options": "DENY"}
        return web.Response(text=html, content_type="text/html", headers=headers)
    again = web.Response(status=303, headers={"Location": f"/consent?interaction={interaction}"})
    if "username" in form and USERS.get(str(form["username"])) == form["password"]:
        again.set_cookie("session", secrets.token_urlsafe(), httponly=True, samesite="Lax")
        SESSIONS[again.cookies["session"].value] = Login(subject=str(form["username"]), auth_time=int(time.time()))
    if "allow" not in form or (who := login(request)) is None:
        return again
    if form["allow"]:
        return await oauth.finish(interaction, subject=who, scope=map(str, form.getall("scope", [])))
    return await oauth.deny(interaction)


@oauth.require("profile")
async def me(request: web.Request) -> web.StreamResponse:
    return web.json_response({"sub": request[ACCESS].subject})


app = web.Application()
app.add_routes([*oauth.routes, web.get("/me", me), web.route("*", "/consent", consent)])
if __name__ == "__main__":
    web.run_app(app, host="localhost", port=int(os.environ.get("PORT", "8000")))
