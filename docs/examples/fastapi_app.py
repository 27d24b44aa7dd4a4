"""FastAPI: an authorization server at /auth and a route that its tokens open: `uvicorn fastapi_app:app`."""

import secrets
import time
from html import escape
from typing import Annotated

from attrs import evolve
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.middleware.sessions import SessionMiddleware

from oauthcore import Client, Login, MemoryStorage, Secret, World, run
from oauthcore_asgi.fastapi import Access, OAuth


def login(request: Request) -> Login | None:
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
app = FastAPI(routes=oauth.routes)
app.add_middleware(SessionMiddleware, secret_key=secrets.token_hex())


@app.api_route("/consent", methods=["GET", "POST"], include_in_schema=False)
async def consent(request: Request, interaction: str) -> Response:
    form, pending = await request.form(), await oauth.interactions.find(interaction, login(request))
    if pending is None or (form and not oauth.interactions.is_form_token(request, interaction, str(form.get("csrf")))):
        return HTMLResponse("This form is out of date.", 400)
    if "allow" in form and (who := login(request)):
        if form["allow"]:
            scope = map(str, form.getlist("scope"))
            return await oauth.interactions.finish(interaction, subject=who, scope=scope)
        return await oauth.interactions.deny(interaction, subject=who)
    if "username" in form and USERS.get(str(form["username"])) == form["password"]:
        request.session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
        return await oauth.interactions.finish(interaction, subject=Login(**request.session["login"]))
    boxes = "".join(f'<input type="checkbox" name="scope" value="{t}" checked>{t}' for t in map(escape, pending.scope))
    shown = SIGN_IN if pending.need == "login" else ASK.format(escape(pending.client.client_id), boxes)
    return HTMLResponse(
        FORM.format(oauth.interactions.form_token(request, interaction), shown), headers={"X-Frame-Options": "DENY"}
    )


@app.get("/me")
async def me(token: Annotated[Access, oauth.protect({"profile": "Know who you are"})]) -> dict[str, str | None]:
    return {"sub": token.subject}
