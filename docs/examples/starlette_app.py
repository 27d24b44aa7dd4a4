"""Starlette: an authorization server at /auth and a route that its tokens open: `uvicorn starlette_app:app`."""

import secrets
import time
from html import escape

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

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
from oauthcore_asgi.starlette import BearerBackend, OAuth

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


def login(request: Request) -> Login | None:
    return Login(**request.session["login"]) if "login" in request.session else None


oauth = OAuth(server, world, login=login)
bearer = BearerBackend(ResourceServer(server.tokens), world)


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


async def consent(request: Request) -> Response:
    interaction, form = request.query_params.get("interaction", ""), await request.form()
    pending = await oauth.interaction(interaction, login(request))
    if pending is None:
        return HTMLResponse("This was answered already, or has waited for too long.", 400)
    if request.method == "GET":
        return HTMLResponse(page(pending, oauth.form_token(request, interaction)), headers={"X-Frame-Options": "DENY"})
    if not oauth.is_form_token(request, interaction, str(form.get("csrf"))):
        return HTMLResponse("This form is not from here.", 400)
    if "username" in form and USERS.get(str(form["username"])) == form["password"]:
        request.session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
    who = login(request)
    if who is None or "allow" not in form:
        return RedirectResponse(f"/consent?interaction={interaction}", 303)
    if form["allow"] == "0":
        return await oauth.deny(interaction)
    return await oauth.finish(interaction, subject=who, scope=map(str, form.getlist("scope")))


@bearer.require("profile")
async def me(request: Request) -> Response:
    return JSONResponse({"sub": request.user.display_name})


api = Mount(
    "/me",
    routes=[Route("/", me)],
    middleware=[Middleware(AuthenticationMiddleware, backend=bearer, on_error=bearer.on_error)],
)
pages = Route("/consent", consent, methods=["GET", "POST"])
routes = [Mount("/auth", oauth), Mount("/.well-known", oauth.well_known), api, pages]
app = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key=secrets.token_hex())])
