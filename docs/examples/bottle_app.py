"""Bottle: an authorization server at /auth and a route that its tokens open: `gunicorn bottle_app:app`."""

import secrets
import time
from html import escape

from attrs import evolve
from bottle import Bottle, HTTPResponse, LocalRequest, request

from oauthcore import Client, Login, MemoryStorage, PendingInteraction, Secret, World, run
from oauthcore_wsgi.bottle import OAuth

USERS = {"alice": "wonderland"}  # yours have hashed passwords
SESSIONS: dict[str, Login] = {}
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart


def login(request: LocalRequest) -> Login | None:
    """Return who is signed in with this browser, by your application's own session."""
    return SESSIONS.get(request.get_cookie("session") or "")


world = World(MemoryStorage())
oauth = OAuth.at("http://localhost:8000/auth", world, KEY, interaction="/consent", login=login)

client = Client(
    client_id="app",
    redirect_uris=["https://app.example/cb"],
    scope="profile email",
    grant_types=["authorization_code", "refresh_token"],
)
phone = evolve(client, client_id="phone", token_endpoint_auth_method="none")
# At each start: registering the same once more changes nothing.
run(oauth.server.clients.register(client, Secret("app-secret"), replace=True), world)
run(oauth.server.clients.register(phone, replace=True), world)

app = Bottle()
oauth.install(app)


@app.get("/consent")
def ask() -> HTTPResponse:
    """Show the page that the server sends the user to: a form to sign in, or one to allow or deny."""
    interaction = request.query.get("interaction", "")
    pending = oauth.interactions.find(interaction, login(request))
    return out_of_date() if pending is None else page(interaction, pending)


@app.post("/consent")
def answer() -> HTTPResponse:
    """Take what the user has filled in, and send them on."""
    interaction = request.query.get("interaction", "")
    form = request.forms
    user = login(request)
    pending = oauth.interactions.find(interaction, user)
    if pending is None or not oauth.interactions.is_form_token(request, interaction, form.get("csrf", "")):
        return out_of_date()
    if "allow" in form and user is not None:
        if form["allow"]:
            return oauth.interactions.finish(interaction, subject=user, scope=form.getall("scope"))
        return oauth.interactions.deny(interaction, subject=user)
    if "username" in form and USERS.get(form["username"]) == form.get("password"):
        session = secrets.token_urlsafe()
        SESSIONS[session] = Login(subject=form["username"], auth_time=int(time.time()))
        response = oauth.interactions.finish(interaction, subject=SESSIONS[session])
        response.set_cookie("session", session, httponly=True, samesite="lax")
        return response
    return page(interaction, pending)


def page(interaction: str, pending: PendingInteraction) -> HTTPResponse:
    """Show the form for what is needed next; its hidden field is what no other site can send."""
    fields = sign_in() if pending.need == "login" else approval(pending)
    form = '<!doctype html><form method="post"><input type="hidden" name="csrf" value="{}">{}</form>'
    html = form.format(oauth.interactions.form_token(request, interaction), fields)
    return HTTPResponse(html, headers={"X-Frame-Options": "DENY"})


def sign_in() -> str:
    """Return the fields to sign in with."""
    return 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'


def approval(pending: PendingInteraction) -> str:
    """Return who asks for what, each part with a box that can be left unticked."""
    boxes = [
        f'<input type="checkbox" name="scope" value="{part}" checked>{part}' for part in map(escape, pending.scope)
    ]
    buttons = '<button name="allow" value="1">Allow</button><button name="allow" value="">Deny</button>'
    return f"{escape(pending.client.client_id)} asks for {''.join(boxes)}<br>{buttons}"


def out_of_date() -> HTTPResponse:
    """Refuse a form that is of another browser, or has been answered."""
    return HTTPResponse("This form is out of date.", 400)


@app.get("/me")
@oauth.protect("profile")
def me() -> dict[str, str]:
    return {"sub": request.token.subject}
