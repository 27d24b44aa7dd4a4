"""FastAPI: an authorization server at /auth and a route that its tokens open: `uvicorn fastapi_app:app`."""

import secrets
import time
from html import escape
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response, Security
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from oauthcore import AuthorizationServer, Client, Login, MemoryStorage, Paths, PendingInteraction, Secret, World, run
from oauthcore_asgi.fastapi import Access, OAuth, Protect

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


def login(request: Request) -> Login | None:
    return Login(**request.session["login"]) if "login" in request.session else None


oauth = OAuth(server, world, login=login)
protect = Protect(server, world, scopes={"profile": "Know who you are"})
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=secrets.token_hex())
app.mount("/auth", oauth)
app.mount("/.well-known", oauth.well_known)


def page(pending: PendingInteraction, csrf: str) -> str:
    box = '<br><input type="checkbox" name="scope" value="{0}" checked>{0}'
    boxes = "".join(box.format(escape(token)) for token in pending.scope)
    sign_in = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    ask = f'{escape(pending.client.client_id)} asks for: {boxes}<br><button name="allow" value="1">Allow</button>'
    fields = sign_in if pending.need == "login" else ask + '<button name="allow" value="">Deny</button>'
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@app.api_route("/consent", methods=["GET", "POST"], include_in_schema=False)
async def consent(request: Request, interaction: str) -> Response:
    form, pending = await request.form(), await oauth.interaction(interaction, login(request))
    if pending is None or (form and not oauth.is_form_token(request, interaction, str(form.get("csrf")))):
        return HTMLResponse("This form is out of date.", 400)
    if not form:
        return HTMLResponse(page(pending, oauth.form_token(request, interaction)), headers={"X-Frame-Options": "DENY"})
    if "username" in form and USERS.get(str(form["username"])) == form["password"]:
        request.session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
    if "allow" not in form or (who := login(request)) is None:
        return RedirectResponse(f"/consent?interaction={interaction}", 303)
    if form["allow"]:
        return await oauth.finish(interaction, subject=who, scope=map(str, form.getlist("scope")))
    return await oauth.deny(interaction)


@app.get("/me")
async def me(token: Annotated[Access, Security(protect, scopes=["profile"])]) -> dict[str, str | None]:
    return {"sub": token.subject}
