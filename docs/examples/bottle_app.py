"""Bottle: an authorization server at /auth and a route that its tokens open: `gunicorn bottle_app:app`."""

import secrets
import time
from html import escape

from attrs import evolve
from bottle import Bottle, HTTPResponse, LocalRequest, request

from oauthcore import Client, Login, MemoryStorage, Secret, World, run
from oauthcore_wsgi.bottle import OAuth


def login(request: LocalRequest) -> Login | None:
    return SESSIONS.get(request.get_cookie("session") or "")


USERS = {"alice": "wonderland"}  # yours have hashed passwords
SESSIONS: dict[str, Login] = {}
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
app = Bottle()
oauth.install(app)


@app.route("/consent", method=["GET", "POST"])
def consent() -> HTTPResponse:
    interaction, form = request.query.get("interaction", ""), request.forms
    pending = oauth.interactions.find(interaction, login(request))
    if pending is None or (form and not oauth.interactions.is_form_token(request, interaction, form.get("csrf", ""))):
        return HTTPResponse("This form is out of date.", 400)
    if "allow" in form and (who := login(request)):
        if form["allow"]:
            scope = form.getall("scope")
            return oauth.interactions.finish(interaction, subject=who, scope=scope)
        return oauth.interactions.deny(interaction, subject=who)
    if "username" in form and USERS.get(form["username"]) == form["password"]:
        SESSIONS[session := secrets.token_urlsafe()] = Login(subject=form["username"], auth_time=int(time.time()))
        response = oauth.interactions.finish(interaction, subject=SESSIONS[session])
        response.set_cookie("session", session, httponly=True, samesite="lax")
        return response
    boxes = "".join(f'<input type="checkbox" name="scope" value="{t}" checked>{t}' for t in map(escape, pending.scope))
    shown = SIGN_IN if pending.need == "login" else ASK.format(escape(pending.client.client_id), boxes)
    html = FORM.format(oauth.interactions.form_token(request, interaction), shown)
    return HTTPResponse(html, headers={"X-Frame-Options": "DENY"})


@app.get("/me")
@oauth.protect("profile")
def me() -> dict[str, str]:
    return {"sub": request.token.subject}
