"""Bottle: an authorization server at /auth and a route that its tokens open: `gunicorn bottle_app:app`."""

import secrets
import time
from html import escape
from typing import Any

from bottle import Bottle, HTTPResponse, LocalRequest, request

from oauthcore import AuthorizationServer, Client, Login, MemoryStorage, Paths, PendingInteraction, Secret, World, run
from oauthcore_wsgi.bottle import OAuth

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

SESSIONS: dict[str, Login] = {}


def login(request: LocalRequest) -> Login | None:
    return SESSIONS.get(request.get_cookie("session") or "")


oauth = OAuth(server, world, login=login)
app = Bottle()
oauth.install(app)


def page(pending: PendingInteraction, csrf: str) -> str:
    box = '<br><input type="checkbox" name="scope" value="{0}" checked>{0}'
    boxes = "".join(box.format(escape(token)) for token in pending.scope)
    sign_in = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    ask = f'{escape(pending.client.client_id)} asks for: {boxes}<br><button name="allow" value="1">Allow</button>'
    fields = sign_in if pending.need == "login" else ask + '<button name="allow" value="">Deny</button>'
    return f'<form method="post"><input type="hidden" name="csrf" value="{csrf}">{fields}</form>'


@app.route("/consent", method=["GET", "POST"])
def consent() -> HTTPResponse:
    interaction, form = request.query.get("interaction", ""), request.forms
    pending = oauth.interaction(interaction, login(request))
    if pending is None or (form and not oauth.is_form_token(request, interaction, form.get("csrf", ""))):
        return HTTPResponse("This form is out of date.", 400)
    if not form:
        return HTTPResponse(page(pending, oauth.form_token(request, interaction)), headers={"X-Frame-Options": "DENY"})
    again = HTTPResponse(status=303, headers={"Location": f"/consent?interaction={interaction}"})
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        session = secrets.token_urlsafe()
        again.set_cookie("session", session, httponly=True, samesite="lax")
        SESSIONS[session] = Login(subject=form["username"], auth_time=int(time.time()))
    if "allow" not in form or (who := login(request)) is None:
        return again
    if form["allow"]:
        return oauth.finish(interaction, subject=who, scope=form.getall("scope"))
    return oauth.deny(interaction)


@app.get("/me")
@oauth.require("profile")
def me() -> dict[str, str]:
    return {"sub": request.token.subject}
