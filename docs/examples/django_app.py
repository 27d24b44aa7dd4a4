"""Django: `python django_app.py prepare`, then `gunicorn django_app:wsgi_app` or `uvicorn django_app:asgi_app`."""

import secrets
import sys
import time
from html import escape

import attrs
import django
from django.conf import settings

KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart
APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauthcore_django"]
LAYERS = ["sessions.middleware.SessionMiddleware", "auth.middleware.AuthenticationMiddleware"]
LAYERS = [f"django.contrib.{name}" for name in LAYERS] + ["django.middleware.csrf.CsrfViewMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django_app.sqlite3"}}
settings.configure(SECRET_KEY=KEY.hex(), ROOT_URLCONF=__name__, INSTALLED_APPS=APPS, MIDDLEWARE=LAYERS)
settings.ALLOWED_HOSTS, settings.DATABASES = ["localhost", "127.0.0.1"], DATABASES
django.setup()

from django.contrib.auth import authenticate, login, models
from django.core import asgi, management, wsgi
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path

from oauthcore import AuthorizationServer, Client, Paths, PendingInteraction, Secret, World, run
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth, login_of

PATHS = Paths(interaction="/consent")  # the page below
server = AuthorizationServer(
    issuer="http://localhost:8000/auth", paths=PATHS, clock=time.time, entropy=secrets.token_bytes, token_key=KEY
)
world = World(DjangoStorage())
oauth = OAuth(server, world)


def page(pending: PendingInteraction, csrf: str) -> str:
    box = '<br><input type="checkbox" name="scope" value="{0}" checked>{0}'
    boxes = "".join(box.format(escape(token)) for token in pending.scope)
    sign_in = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    ask = f'{escape(pending.client.client_id)} asks for: {boxes}<br><button name="allow" value="1">Allow</button>'
    fields = sign_in if pending.need == "login" else ask + '<button name="allow" value="">Deny</button>'
    return f'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{csrf}">{fields}</form>'


def consent(request: HttpRequest) -> HttpResponse:
    interaction, form = request.GET.get("interaction", ""), request.POST
    pending = oauth.interaction(interaction, login_of(request))
    if pending is None:
        return HttpResponse("This form is out of date.", status=400)
    if not form:
        return HttpResponse(page(pending, get_token(request)), headers={"X-Frame-Options": "DENY"})
    if user := authenticate(request, username=form.get("username"), password=form.get("password")):
        login(request, user)
    if "allow" not in form or (who := login_of(request)) is None:
        return HttpResponseRedirect(request.get_full_path(), status=303)
    if form["allow"]:
        return oauth.finish(interaction, subject=who, scope=form.getlist("scope"))
    return oauth.deny(interaction)


@oauth.require("profile")
def me(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.token.subject})


urlpatterns = [*oauth.urls, path("consent", consent), path("me", me)]
wsgi_app, asgi_app = wsgi.get_wsgi_application(), asgi.get_asgi_application()
if sys.argv[1:] == ["prepare"]:
    management.call_command("migrate", verbosity=0)
    models.User.objects.create_user("alice", password="wonderland")
    CB, MAY, SCOPE = ["https://app.example/cb"], ["authorization_code", "refresh_token"], "profile email"
    app_client = Client(client_id="app", redirect_uris=CB, grant_types=MAY, scope=SCOPE)
    phone = attrs.evolve(app_client, client_id="phone", token_endpoint_auth_method="none")
    run(server.register(app_client, Secret("app-secret")), world)
    run(server.register(phone), world)
