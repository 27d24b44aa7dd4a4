"""aiohttp: an authorization server at /auth and a route that its tokens open: `python aiohttp_app.py 8000`."""

import secrets
import sys
import time
from html import escape

from aiohttp import web

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
from oauthcore_asgi.aiohttp import ACCESS, OAuth, require

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

SESSIONS: dict[str, Login] = {}


def login(request: web.Request) -> Login | None:
    return SESSIONS.get(request.cookies.get("session", ""))


oauth = OAuth(server, world, login=login)
routes = web.RouteTableDef()


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@routes.get("/consent")
async def ask(request: web.Request) -> web.Response:
    interaction = request.query.get("interaction", "")
    pending = await oauth.interaction(interaction, login(request))
    if pending is None:
        return web.Response(text="This was answered already, or has waited for too long.", status=400)
    html = page(pending, oauth.form_token(request, interaction))
    return web.Response(text=html, content_type="text/html", headers={"X-Frame-Options": "DENY"})


@routes.post("/consent")
async def answer(request: web.Request) -> web.Response:
    interaction, form = request.query.get("interaction", ""), await request.post()
    if not oauth.is_form_token(request, interaction, str(form.get("csrf"))):
        return web.Response(text="This form is not from here.", status=400)
    if "username" in form and USERS.get(str(form["username"])) == form["password"]:
        response, session = (
            web.Response(status=303, headers={"Location": str(request.rel_url)}),
            secrets.token_urlsafe(),
        )
        SESSIONS[session] = Login(subject=str(form["username"]), auth_time=int(time.time()))
        response.set_cookie("session", session, httponly=True, samesite="Lax")
        return response
    who = login(request)
    if who is None or "allow" not in form:
        return web.Response(status=303, headers={"Location": str(request.rel_url)})
    if form["allow"] == "0":
        return await oauth.deny(interaction)
    return await oauth.finish(interaction, subject=who, scope=map(str, form.getall("scope", [])))


@routes.get("/me")
@require(ResourceServer(server.tokens), world, "profile")
async def me(request: web.Request) -> web.StreamResponse:
    return web.json_response({"sub": request[ACCESS].subject})


app = web.Application()
app.add_routes([*oauth.routes, *routes])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
