"""Django: `python django_app.py migrate`, `createsuperuser`, `oauth_client`; then `gunicorn django_app:wsgi_app`."""

import secrets
from html import escape

import django
from django.conf import settings

KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart

settings.configure(
    SECRET_KEY=KEY.hex(),
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django_app.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauthcore_django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    ROOT_URLCONF=__name__,
)
django.setup()

from django.contrib.auth import authenticate, login
from django.core import asgi, management, wsgi
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.views.decorators.http import require_http_methods

from oauthcore import PendingInteraction, World
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth, login_of

world = World(DjangoStorage())
oauth = OAuth.at("http://localhost:8000/auth", world, KEY, interaction="/consent", login=login_of)


@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """Show the page that the server sends the user to, and take what they have filled in."""
    interaction = request.GET.get("interaction", "")
    pending = oauth.interactions.find(interaction, login_of(request))
    if pending is None:
        return out_of_date()
    if request.method == "POST":
        return answer(request, interaction, pending)
    return page(request, pending)


def answer(request: HttpRequest, interaction: str, pending: PendingInteraction) -> HttpResponse:
    """Take what the user has filled in, and send them on."""
    form = request.POST
    user = login_of(request)
    if "allow" in form and user is not None:
        if form["allow"]:
            return oauth.interactions.finish(interaction, subject=user, scope=form.getlist("scope"))
        return oauth.interactions.deny(interaction, subject=user)
    account = authenticate(request, username=form.get("username"), password=form.get("password"))
    if account is not None:
        login(request, account)
        user = login_of(request)
        if user is not None:
            return oauth.interactions.finish(interaction, subject=user)
    return page(request, pending)


def page(request: HttpRequest, pending: PendingInteraction) -> HttpResponse:
    """Show the form for what is needed next; its hidden field is what no other site can send."""
    fields = sign_in() if pending.need == "login" else approval(pending)
    form = '<!doctype html><form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}</form>'
    html = form.format(get_token(request), fields)
    return HttpResponse(html, headers={"X-Frame-Options": "DENY"})


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


def out_of_date() -> HttpResponse:
    """Refuse a form that is of another browser, or has been answered."""
    return HttpResponse("This form is out of date.", status=400)


@oauth.protect("profile")
def me(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.token.subject})


urlpatterns = [
    *oauth.urls,
    path("consent", consent),
    path("me", me),
]
wsgi_app = wsgi.get_wsgi_application()
asgi_app = asgi.get_asgi_application()

if __name__ == "__main__":
    management.execute_from_command_line()
