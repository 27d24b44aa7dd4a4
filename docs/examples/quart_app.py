"""Quart: an authorization server at /auth and a route that its tokens open: `hypercorn quart_app:app`."""

import secrets
import time
from html import escape

from attrs import evolve
from quart import Quart, Request, g, request, session
from quart.typing import ResponseReturnValue

from oauthcore import Client, Login, MemoryStorage, Secret, World, run
from oauthcore_asgi.quart import OAuth


def login(_: Request | None = None) -> Login | None:
    return Login(**session["login"]) if "login" in session else None


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
app = Quart(__name__)
app.secret_key = secrets.token_hex()
app.register_blueprint(oauth.blueprint)


@app.route("/consent", methods=["GET", "POST"])
async def consent() -> ResponseReturnValue:
    interaction, form = request.args.get("interaction", ""), await request.form
    pending = await oauth.interactions.find(interaction, login())
    if pending is None or (form and not oauth.interactions.is_form_token(request, interaction, form.get("csrf", ""))):
        return "This form is out of date.", 400
    if "allow" in form and (who := login()):
        if form["allow"]:
            scope = form.getlist("scope")
            return await oauth.interactions.finish(interaction, subject=who, scope=scope)
        return await oauth.interactions.deny(interaction, subject=who)
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
        return await oauth.interactions.finish(interaction, subject=Login(**session["login"]))
    boxes = "".join(f'<input type="checkbox" name="scope" value="{t}" checked>{t}' for t in map(escape, pending.scope))
    shown = SIGN_IN if pending.need == "login" else ASK.format(escape(pending.client.client_id), boxes)
    return FORM.format(oauth.interactions.form_token(request, interaction), shown), {"X-Frame-Options": "DENY"}


@app.get("/me")
@oauth.protect("profile")
async def me() -> ResponseReturnValue:
    return {"sub": g.token.subject}
