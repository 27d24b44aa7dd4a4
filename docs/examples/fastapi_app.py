"""FastAPI: an authorization server at /auth and a route that its tokens open: `uvicorn fastapi_app:app`."""

import secrets
import time
from html import escape
from typing import Annotated

from fastapi import FastAPI, Request, Response, Security
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from oauthcore import (
    Access,
    AuthorizationServer,
    Client,
    Login,
    MemoryStorage,
    Need,
    Paths,
    PendingInteraction,
    Secret,
    World,
    run,
)
from oauthcore_asgi.fastapi import OAuth, Protect

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
protect = Protect(server, world, scopes={"profile": "Know who you are"})
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=secrets.token_hex())
app.mount("/auth", oauth)
app.mount("/.well-known", oauth.well_known)


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@app.get("/consent")
async def ask(request: Request, interaction: str) -> Response:
    pending = await oauth.interaction(interaction, login(request))
    if pending is None:
        return HTMLResponse("This was answered already, or has waited for too long.", 400)
    return HTMLResponse(page(pending, oauth.form_token(request, interaction)), headers={"X-Frame-Options": "DENY"})


@app.post("/consent")
async def answer(request: Request, interaction: str) -> Response:
    form = await request.form()
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


@app.get("/me")
async def me(token: Annotated[Access, Security(protect, scopes=["profile"])]) -> dict[str, str | None]:
    return {"sub": token.subject}
