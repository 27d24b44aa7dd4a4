"""Quart: an authorization server at /auth and a route that its tokens open: `hypercorn quart_app:app`."""

import secrets
import time
from html import escape

from quart import Quart, Request, g, redirect, request, session
from quart.typing import ResponseReturnValue

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
from oauthcore_asgi.quart import OAuth, require

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


def login(_: Request | None = None) -> Login | None:
    return Login(**session["login"]) if "login" in session else None


oauth = OAuth(server, world, login=login)
app = Quart(__name__)
app.secret_key = secrets.token_hex()
app.register_blueprint(oauth.blueprint)


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@app.route("/consent", methods=["GET", "POST"])
async def consent() -> ResponseReturnValue:
    interaction, form = request.args.get("interaction", ""), await request.form
    pending = await oauth.interaction(interaction, login())
    if pending is None:
        return "This was answered already, or has waited for too long.", 400
    if request.method == "GET":
        return page(pending, oauth.form_token(request, interaction)), {"X-Frame-Options": "DENY"}
    if not oauth.is_form_token(request, interaction, form.get("csrf", "")):
        return "This form is not from here.", 400
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
    who = login()
    if who is None or "allow" not in form:
        return redirect(f"/consent?interaction={interaction}", 303)
    if form["allow"] == "0":
        return await oauth.deny(interaction)
    return await oauth.finish(interaction, subject=who, scope=form.getlist("scope"))


@app.get("/me")
@require(ResourceServer(server.tokens), world, "profile")
async def me() -> ResponseReturnValue:
    return {"sub": g.token.subject}
