"""Flask: an authorization server at /auth and a route that its tokens open: `gunicorn flask_app:app`."""

import secrets
import time
from html import escape

from attrs import evolve
from flask import Flask, Request, g, request, session
from flask.typing import ResponseReturnValue

from oauthcore import Client, Login, MemoryStorage, PendingInteraction, Secret, World, run
from oauthcore_wsgi.flask import OAuth

USERS = {"alice": "wonderland"}  # yours have hashed passwords
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart


def login(_: Request | None = None) -> Login | None:
    """Return who is signed in with this browser, by your application's own session."""
    return Login(**session["login"]) if "login" in session else None


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

app = Flask(__name__)
app.secret_key = secrets.token_hex()
app.register_blueprint(oauth.blueprint)


@app.get("/consent")
def ask() -> ResponseReturnValue:
    """Show the page that the server sends the user to: a form to sign in, or one to allow or deny."""
    interaction = request.args.get("interaction", "")
    pending = oauth.interactions.find(interaction, login())
    return out_of_date() if pending is None else page(interaction, pending)


@app.post("/consent")
def answer() -> ResponseReturnValue:
    """Take what the user has filled in, and send them on."""
    interaction = request.args.get("interaction", "")
    form = request.form
    user = login()
    pending = oauth.interactions.find(interaction, user)
    if pending is None or not oauth.interactions.is_form_token(request, interaction, form.get("csrf", "")):
        return out_of_date()
    if "allow" in form and user is not None:
        if form["allow"]:
            return oauth.interactions.finish(interaction, subject=user, scope=form.getlist("scope"))
        return oauth.interactions.deny(interaction, subject=user)
    if "username" in form and USERS.get(form["username"]) == form.get("password"):
        session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
        return oauth.interactions.finish(interaction, subject=Login(**session["login"]))
    return page(interaction, pending)


def page(interaction: str, pending: PendingInteraction) -> ResponseReturnValue:
    """Show the form for what is needed next; its hidden field is what no other site can send."""
    fields = sign_in() if pending.need == "login" else approval(pending)
    form = '<!doctype html><form method="post"><input type="hidden" name="csrf" value="{}">{}</form>'
    html = form.format(oauth.interactions.form_token(request, interaction), fields)
    return html, {"X-Frame-Options": "DENY"}


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


def out_of_date() -> ResponseReturnValue:
    """Refuse a form that is of another browser, or has been answered."""
    return "This form is out of date.", 400


@app.get("/me")
@oauth.protect("profile")
def me() -> ResponseReturnValue:
    return {"sub": g.token.subject}
