"""Bottle: an authorization server at /auth and a route that its tokens open: `gunicorn bottle_app:app`."""

import secrets
import time
from html import escape

from bottle import Bottle, HTTPResponse, LocalRequest, request, response

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
from oauthcore_wsgi.bottle import OAuth, require

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


def login(request: LocalRequest) -> Login | None:
    return SESSIONS.get(request.get_cookie("session") or "")


oauth = OAuth(server, world, login=login)
app = Bottle()
oauth.install(app)


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@app.get("/consent")
def ask() -> str | HTTPResponse:
    interaction = request.query.get("interaction", "")
    pending = oauth.interaction(interaction, login(request))
    if pending is None:
        return HTTPResponse("This was answered already, or has waited for too long.", 400)
    response.set_header("X-Frame-Options", "DENY")
    return page(pending, oauth.form_token(request, interaction))


@app.post("/consent")
def answer() -> HTTPResponse:
    interaction, form = request.query.get("interaction", ""), request.forms
    if not oauth.is_form_token(request, interaction, form.get("csrf", "")):
        return HTTPResponse("This form is not from here.", 400)
    back = HTTPResponse(status=303, headers={"Location": f"/consent?interaction={interaction}"})
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        session = secrets.token_urlsafe()
        SESSIONS[session] = Login(subject=form["username"], auth_time=int(time.time()))
        back.set_cookie("session", session, httponly=True, samesite="lax")
    who = login(request)
    if who is None or "allow" not in form:
        return back
    if form["allow"] == "0":
        return oauth.deny(interaction)
    return oauth.finish(interaction, subject=who, scope=form.getall("scope"))


@app.get("/me")
@require(ResourceServer(server.tokens), world, "profile")
def me() -> dict[str, str]:
    return {"sub": request.token.subject}
