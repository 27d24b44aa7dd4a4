"""The endpoints as Django URL patterns, the same under WSGI and ASGI, and a decorator for protected views."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.apps import apps
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, get_script_prefix
from django.urls.resolvers import RegexPattern
from django.views.decorators.csrf import csrf_exempt

from oauthcore import Access, AuthorizationServer, Login, ResourceServer, World
from oauthcore import Request as CoreRequest
from oauthcore import Response as CoreResponse
from oauthcore.wire.http import complete
from oauthcore_django.apps import OAuthCoreConfig
from oauthcore_django.auth_time import auth_time_of
from oauthcore_wsgi import Embedded, Framework, head_of
from oauthcore_wsgi.protect import request_verifier

if TYPE_CHECKING:
    from oauthcore_pages import Pages

P = ParamSpec("P")
View: TypeAlias = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def login_of(request: HttpRequest) -> Login | None:
    """Return Django's own user, by their primary key, with the time of login from this session.

    None if the session does not have that time: it is older than the installation of `oauthcore_django`, or did not
    begin with `django.contrib.auth.login`. The user then signs in again, or the project passes its own `login`.
    """
    user = request.user
    auth_time = auth_time_of(request)
    if not user.is_authenticated or auth_time is None:
        return None
    return Login(subject=str(user.pk), auth_time=auth_time)


def environ_of(request: HttpRequest) -> dict[str, Any]:
    """Return a Django request as a WSGI environ, whose names `META` has under ASGI, too."""
    scheme = "https" if request.is_secure() else "http"
    if isinstance(request, WSGIRequest) and not request.META.get("CONTENT_LENGTH"):
        # Django reads no body without a length, but the server may know where it ends.
        return {**request.META, "wsgi.url_scheme": scheme}
    # Django's own stream ends with the body.
    return {**request.META, "wsgi.url_scheme": scheme, "wsgi.input": request, "wsgi.input_terminated": True}


def wire_of(request: HttpRequest) -> CoreRequest:
    """Return a Django request as the core's, without its body."""
    return head_of(environ_of(request))


def respond(response: CoreResponse) -> HttpResponse:
    """Return the core's response as Django's."""
    spelled = HttpResponse(response.body, status=response.status)
    del spelled["Content-Type"]
    for name, value in complete(response):
        if name == "Set-Cookie":
            spelled.cookies.load(value)
        else:
            spelled[name] = value
    return spelled


DJANGO: Framework[HttpRequest, HttpResponse] = Framework(
    request_of=lambda _, __: HttpRequest(), wire_of=wire_of, respond=respond
)


class OAuth(Embedded[HttpRequest, HttpResponse]):
    """An authorization server in a Django project: put `urls` into the root URLconf.

    The user is Django's, unless `login` returns another. The project's own pages are protected by Django's CSRF
    middleware as usual; these endpoints are exempt, since clients post to them without cookies.
    """

    framework = DJANGO

    def __init__(
        self,
        server: AuthorizationServer,
        world: World,
        *,
        login: Callable[[HttpRequest], Login | None] | None = login_of,
        pages: Pages | None = None,
        prefix: str = "",
    ) -> None:
        super().__init__(server, world, login=login, pages=pages, prefix=prefix)
        if apps.is_installed("oauthcore_django"):  # so that its commands can find the servers
            config = apps.get_app_config("oauthcore")
            assert isinstance(config, OAuthCoreConfig)
            config.made.append(self)

    @property
    def urls(self) -> list[URLPattern]:
        """Return the URL patterns of all endpoints, wherever the project is mounted (`SCRIPT_NAME`).

        If they are included below a path, pass that path as the `prefix` of this `OAuth`.
        """
        # With ATOMIC_REQUESTS a commit would only be final after the response; here it has to be before.
        view = transaction.non_atomic_requests(csrf_exempt(self._view))
        return [URLPattern(EndpointPattern(path, self), view) for path in self.seen_paths]

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Callable[[View[P]], View[P]]:
        """Require a token of this server with all of the scope; the view finds its `Access` in `request.token`."""
        own = ResourceServer(self.server.tokens)
        return protect(own, self.world, scope, acr_values=acr_values, max_age=max_age)

    def _view(self, request: HttpRequest) -> HttpResponse:
        return respond(self.serve(environ_of(request), request))


class EndpointPattern(RegexPattern):
    """Match a path only if the whole path of the request is that of an endpoint, so that no other pattern is hidden."""

    def __init__(self, path: str, oauth: OAuth) -> None:
        super().__init__(f"^{re.escape(path[1:])}$", is_endpoint=True)
        self._oauth = oauth

    def match(  # type: ignore[explicit-override]  # typing.override is 3.12's
        self, path: str
    ) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        """Return whether a path, without the mount point of the project, is that of an endpoint."""
        script, own = get_script_prefix(), self._oauth
        is_ours = own.owns(script + path) or own.owns(f"{own.prefix}/{path}") or f"/{path}" in own.metadata_paths
        return super().match(path) if is_ours else None


def protect(
    resource_server: ResourceServer,
    world: World,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[View[P]], View[P]]:
    """Require a token with all of the scope, otherwise challenge; the view finds its `Access` in `request.token`."""
    verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def refusal(request: HttpRequest) -> HttpResponse | None:
        verdict = verify(wire_of(request))
        if not isinstance(verdict, Access):
            return respond(verdict)
        request.token = verdict  # type: ignore[attr-defined]  # attributes are added to Django's requests
        return None

    def protected(view: View[P]) -> View[P]:
        @wraps(view)
        def call(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            return refusal(request) or view(request, *args, **kwargs)

        @wraps(view)
        async def async_call(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            # The ORM must not be used on an event loop.
            refused = await sync_to_async(refusal)(request)
            return refused or await view(request, *args, **kwargs)  # type: ignore[misc]  # an async view's is awaitable

        # CSRF is about cookies, which these views don't use: a form of another site can't send the token.
        spelled = async_call if iscoroutinefunction(view) else call
        return csrf_exempt(spelled)  # type: ignore[return-value]  # `wraps` knows the parameter by its name, too

    return protected
