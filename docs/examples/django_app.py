"""Django: `python django_app.py prepare`, then `gunicorn django_app:wsgi` or `uvicorn django_app:asgi`."""

import secrets
import sys
import time
from html import escape

import django
from django.conf import settings

APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauthcore_django"]
settings.configure(
    SECRET_KEY=secrets.token_hex(),  # keep yours: the same for all workers, and after every restart
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=APPS,
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django_app.sqlite3"}},
)
django.setup()

from django.contrib.auth import authenticate, login
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path

from oauthcore import AuthorizationServer, Client, Need, Paths, PendingInteraction, ResourceServer, Secret, World, run
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth, login_of, require

server = AuthorizationServer(
    issuer="http://localhost:8000/auth",
    paths=Paths(interaction="/consent"),  # the page below
    clock=time.time,
    entropy=secrets.token_bytes,
    token_key=secrets.token_bytes(32),  # keep yours, too
)
world = World(DjangoStorage())
oauth = OAuth(server, world)


def page(pending: PendingInteraction, csrf: str) -> str:
    boxes = [f'<input type="checkbox" name="scope" value="{s}" checked>{s}<br>' for s in map(escape, pending.scope)]
    ask = f"<p>{escape(pending.client.client_id)} wants to know:</p>{''.join(boxes)}"
    ask += '<button name="allow" value="1">Allow</button><button name="allow" value="0">Deny</button>'
    who = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
    fields = who if pending.need is Need.LOGIN else ask
    return f'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{csrf}">{fields}</form>'


def consent(request: HttpRequest) -> HttpResponse:
    interaction, form = request.GET.get("interaction", ""), request.POST
    pending = oauth.interaction(interaction, login_of(request))
    if pending is None:
        return HttpResponse("This was answered already, or has waited for too long.", status=400)
    if request.method == "GET":
        return HttpResponse(page(pending, get_token(request)), headers={"X-Frame-Options": "DENY"})
    user = authenticate(request, username=form.get("username"), password=form.get("password"))
    if user is not None:
        login(request, user)
    who = login_of(request)
    if who is None or "allow" not in form:
        return HttpResponseRedirect(request.get_full_path(), status=303)
    if form["allow"] == "0":
        return oauth.deny(interaction)
    return oauth.finish(interaction, subject=who, scope=form.getlist("scope"))


@require(ResourceServer(server.tokens), world, "profile")
def me(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.token.subject})


urlpatterns = [*oauth.urls, path("consent", consent), path("me", me)]
wsgi, asgi = get_wsgi_application(), get_asgi_application()
if sys.argv[1:] == ["prepare"]:
    call_command("migrate", verbosity=0)
    User.objects.create_user("alice", password="wonderland")
    CB, GRANTS = ["https://app.example/cb"], ["authorization_code", "refresh_token"]
    app_client = Client(client_id="app", redirect_uris=CB, grant_types=GRANTS, scope="profile email")
    run(server.register(app_client, Secret("app-secret")), world)
    phone = Client(
        client_id="phone", token_endpoint_auth_method="none", redirect_uris=CB, grant_types=GRANTS, scope="profile"
    )
    run(server.register(phone), world)
