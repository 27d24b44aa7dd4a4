"""Django: `python django_app.py migrate`, `createsuperuser`, `oauth_client`; then `gunicorn django_app:wsgi_app`."""

import secrets
from html import escape

import django
from django.conf import settings

KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart
APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauthcore_django"]
LAYERS = ["contrib.sessions.middleware.SessionMiddleware", "contrib.auth.middleware.AuthenticationMiddleware"]
LAYERS = [f"django.{name}" for name in (*LAYERS, "middleware.csrf.CsrfViewMiddleware")]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django_app.sqlite3"}}
settings.configure(SECRET_KEY=KEY.hex(), ROOT_URLCONF=__name__, INSTALLED_APPS=APPS, MIDDLEWARE=LAYERS)
settings.ALLOWED_HOSTS, settings.DATABASES = ["localhost", "127.0.0.1"], DATABASES
django.setup()

from django.contrib.auth import authenticate, login
from django.core import asgi, management, wsgi
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path

from oauthcore import World
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth, login_of

SIGN_IN = 'Name <input name="username"> Password <input name="password" type="password"><button>Sign in</button>'
ASK = '{} asks for {}<br><button name="allow" value="1">Allow</button><button name="allow" value="">Deny</button>'
FORM = '<!doctype html><form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}</form>'
oauth = OAuth.at("http://localhost:8000/auth", World(DjangoStorage()), KEY, interaction="/consent", login=login_of)


def consent(request: HttpRequest) -> HttpResponse:
    interaction, form = request.GET.get("interaction", ""), request.POST
    pending = oauth.interactions.find(interaction, login_of(request))
    if pending is None:
        return HttpResponse("This form is out of date.", status=400)
    if "allow" in form and (who := login_of(request)):
        if form["allow"]:
            scope = form.getlist("scope")
            return oauth.interactions.finish(interaction, subject=who, scope=scope)
        return oauth.interactions.deny(interaction, subject=who)
    if user := authenticate(request, username=form.get("username"), password=form.get("password")):
        login(request, user)
        if who := login_of(request):
            return oauth.interactions.finish(interaction, subject=who)
    boxes = "".join(f'<input type="checkbox" name="scope" value="{t}" checked>{t}' for t in map(escape, pending.scope))
    shown = SIGN_IN if pending.need == "login" else ASK.format(escape(pending.client.client_id), boxes)
    return HttpResponse(FORM.format(get_token(request), shown), headers={"X-Frame-Options": "DENY"})


@oauth.protect("profile")
def me(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.token.subject})


urlpatterns = [*oauth.urls, path("consent", consent), path("me", me)]
wsgi_app, asgi_app = wsgi.get_wsgi_application(), asgi.get_asgi_application()
if __name__ == "__main__":
    management.execute_from_command_line()
