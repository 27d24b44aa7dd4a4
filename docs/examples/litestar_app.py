"""Litestar: an authorization server at /auth and a route that its tokens open: `uvicorn litestar_app:app`."""

import secrets
import time
from html import escape
from typing import Any

from attrs import evolve
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.middleware.session.server_side import ServerSideSessionConfig

from oauthcore import Client, Login, MemoryStorage, PendingInteraction, Secret, World, run
from oauthcore_asgi.litestar import Connection, OAuth

USERS = {"alice": "wonderland"}  # yours have hashed passwords
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart


def login(request: Connection) -> Login | None:
    """Return who is signed in with this browser, by your application's own session."""
    return Login(**request.session["login"]) if "login" in request.session else None


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


@get("/consent", media_type=MediaType.HTML)
async def ask(request: Request[Any, Any, Any], interaction: str) -> Response[str]:
    """Show the page that the server sends the user to: a form to sign in, or one to allow or deny."""
    pending = await oauth.interactions.find(interaction, login(request))
    return out_of_date() if pending is None else page(request, interaction, pending)


@post("/consent", status_code=200, media_type=MediaType.HTML)
async def answer(request: Request[Any, Any, Any], interaction: str) -> Response[str] | Response[bytes]:
    """Take what the user has filled in, and send them on."""
    form = await request.form()
    user = login(request)
    pending = await oauth.interactions.find(interaction, user)
    if pending is None or not oauth.interactions.is_form_token(request, interaction, form.get("csrf", "")):
        return out_of_date()
    if "allow" in form and user is not None:
        if form["allow"]:
            scope = form.getall("scope", [])
            return await oauth.interactions.finish(interaction, subject=user, scope=scope)
        return await oauth.interactions.deny(interaction, subject=user)
    if "username" in form and USERS.get(form["username"]) == form.get("password"):
        request.session["login"] = {"subject": form["username"], "auth_time": int(time.time())}
        return await oauth.interactions.finish(interaction, subject=Login(**request.session["login"]))
    return page(request, interaction, pending)


def page(request: Request[Any, Any, Any], interaction: str, pending: PendingInteraction) -> Response[str]:
    """Show the form for what is needed next; its hidden field is what no other site can send."""
    fields = sign_in() if pending.need == "login" else approval(pending)
    form = '<!doctype html><form method="post"><input type="hidden" name="csrf" value="{}">{}</form>'
    html = form.format(oauth.interactions.form_token(request, interaction), fields)
    return Response(html, headers={"X-Frame-Options": "DENY"})


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


def out_of_date() -> Response[str]:
    """Refuse a form that is of another browser, or has been answered."""
    return Response("This form is out of date.", status_code=400)


@get("/me", guards=[oauth.protect("profile")])
async def me(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"sub": request.state.access.subject}


sessions = ServerSideSessionConfig()
app = Litestar([ask, answer, me], plugins=[oauth], middleware=[sessions.middleware])
