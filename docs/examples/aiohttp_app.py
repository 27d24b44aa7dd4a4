"""aiohttp: an authorization server at /auth and a route that its tokens open: `python aiohttp_app.py`."""

import secrets
import time
from html import escape

from aiohttp import web
from attrs import evolve

from oauthcore import Client, Login, MemoryStorage, Secret, World, run
from oauthcore_asgi.aiohttp import ACCESS, OAuth


def login(request: web.Request) -> Login | None:
    return SESSIONS.get(request.cookies.get("session", ""))


USERS = {"alice": "wonderland"}  # yours have hashed passwords
SESSIONS: dict[str, Login] = {}
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


async def consent(request: web.Request) -> web.Response:
    interaction, form = request.query.get("interaction", ""), await request.post()
    pending = await oauth.interactions.find(interaction, login(request))
    if pending is None or (form and not oauth.interactions.is_form_token(request, interaction, str(form.get("csrf")))):
        return web.Response(text="This form is out of date.", status=400)
    if "allow" in form and (who := login(request)):
        if form["allow"]:
            scope = map(str, form.getall("scope", []))
            return await oauth.interactions.finish(interaction, subject=who, scope=scope)
        return await oauth.interactions.deny(interaction, subject=who)
    if "username" in form and USERS.get(str(form["username"])) == form["password"]:
        SESSIONS[session := secrets.token_urlsafe()] = Login(subject=str(form["username"]), auth_time=int(time.time()))
        response = await oauth.interactions.finish(interaction, subject=SESSIONS[session])
        response.set_cookie("session", session, httponly=True, samesite="Lax")
        return response
    boxes = "".join(f'<input type="checkbox" name="scope" value="{t}" checked>{t}' for t in map(escape, pending.scope))
    shown = SIGN_IN if pending.need == "login" else ASK.format(escape(pending.client.client_id), boxes)
    html = FORM.format(oauth.interactions.form_token(request, interaction), shown)
    return web.Response(text=html, content_type="text/html", headers={"X-Frame-Options": "DENY"})


@oauth.protect("profile")
async def me(request: web.Request) -> web.StreamResponse:
    return web.json_response({"sub": request[ACCESS].subject})


app = web.Application()
app.add_routes([*oauth.routes, web.get("/me", me), web.route("*", "/consent", consent)])
if __name__ == "__main__":
    web.run_app(app, host="localhost", port=8000)
