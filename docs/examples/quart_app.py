"""Quart: an authorization server at /auth and a route that its tokens open: `hypercorn quart_app:app`."""

import secrets
import time
from html import escape
from typing import Any

from quart import Quart, Request, g, redirect, request, session
from quart.typing import ResponseReturnValue

from oauthcore import AuthorizationServer, Client, Login, MemoryStorage, Paths, PendingInteraction, Secret, World, run
from oauthcore_asgi.quart import OAuth

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


def login(_: Request | None = None) -> Login | None:
    return Login(**session["login"]) if "login" in session else None


oauth = OAuth(server, world, login=login)
app = Quart(__name__)
app.secret_key = secrets.token_hex()
app.register_blueprint(oauth.blueprint)


def page(pending: PendingInteraction, csrf: str) -> str:
    box = '<br><input type="checkbox" name="scope" value="{0}" checked>{0}'
    boxes = "".join(box.format(escape(token)) for token in pending.scope)
    sign_in = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    ask = f'{escape(pending.client.client_id)} asks for: {boxes}<br><button name="allow" value="1">Allow</button>'
    fields = sign_in if pending.need == "login" else ask + '<button name="allow" value="">Deny</button>'
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@app.route("/consent", methods=["GET", "POST"])
async def consent() -> ResponseReturnValue:
    interaction, form = request.args.get("interaction", ""), await request.form
    pending = await oauth.interaction(interaction, login())
    if pending is None or (form and not oauth.is_form_token(request, interaction, form.get("csrf", ""))):
        return "This form is out of date.", 400
    if not form:
        return page(pending, oauth.form_token(request, interaction)), {"X-Frame-Options": "DENY"}
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
    if "allow" not in form or (who := login()) is None:
        return redirect(f"/consent?interaction={interaction}", 303)
    if form["allow"]:
        return await oauth.finish(interaction, subject=who, scope=form.getlist("scope"))
    return await oauth.deny(interaction)


@app.get("/me")
@oauth.require("profile")
async def me() -> ResponseReturnValue:
    return {"sub": g.token.subject}
