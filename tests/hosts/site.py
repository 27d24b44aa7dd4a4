"""What the bare hosts serve: four servers side by side, with pages, and time and chance fixed so that answers compare.

`/` is an issuer without a path, `/tenant` one with a path, `/auth` a server that is mounted below a prefix its issuer
does not have, and `/tls` one that stands behind a proxy which ends TLS. Each has the same clients and people. `EXAMPLE`
is what the documents' examples have.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from oauthcore import (
    AuthorizationServer,
    Client,
    MemoryStorage,
    Paths,
    Policy,
    Registration,
    Request,
    ResourceServer,
    Response,
    Secret,
    World,
    run,
)
from oauthcore.errors import ContentTooLarge
from oauthcore.flow.effects import Claims
from oauthcore.flow.storage import Storage
from oauthcore.openid import OpenID
from oauthcore.signing.keys import GivenKeys
from oauthcore.testing import SeededEntropy
from oauthcore.wire.http import complete
from oauthcore_asgi import Bearer as ASGIBearer
from oauthcore_asgi import OAuth as ASGIOAuth
from oauthcore_asgi.wire import Answer as ASGIAnswer
from oauthcore_asgi.wire import Receive, Scope, Send
from oauthcore_pages import Pages
from oauthcore_wsgi import Bearer as WSGIBearer
from oauthcore_wsgi import OAuth as WSGIOAuth
from oauthcore_wsgi.wire import Answer as WSGIAnswer
from tests.core.signing_keys import key_for

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REDIRECT = "https://app.example/cb"
PEOPLE = {"alice": "wonderland"}
ME = Response(200, (("Content-Type", "application/json"),), b'{"sub": "alice"}')


@attrs.frozen
class Site:
    """Hold one server, and what it needs."""

    server: AuthorizationServer
    pages: Pages
    world: World
    resource_server: ResourceServer


def authenticate(username: str, password: Secret) -> str | None:
    """Know the people by name."""
    return username if PEOPLE.get(username) == password.reveal() else None


def know(wanted: Claims) -> Mapping[str, object]:
    """Know everybody's address."""
    return {"email": f"{wanted.subject}@app.example"}


def make(
    issuer: str,
    paths: Paths | None = None,
    *,
    openid: bool = True,
    registration: Registration | None = None,
    storage: Storage | None = None,
) -> Site:
    """Make a server: the same twice, whatever host it is in; over memory, or another storage that is empty."""
    chance = SeededEntropy(1)
    key = bytes(range(32))
    server = AuthorizationServer(
        issuer=issuer,
        paths=paths,
        registration=registration,
        clock=time.time,
        entropy=chance,
        token_key=key,
        openid=OpenID() if openid else None,
        keys=GivenKeys([key_for("RS256")]) if openid else None,
        policy=Policy.openid() if openid else None,
    )
    pages = Pages(server, key=key, clock=time.time, entropy=chance)
    world = World(storage or MemoryStorage(), authenticate, claims=know)
    client = Client(
        client_id="app",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code", "refresh_token", "implicit"],
        response_types=["code", "code id_token"] if openid else ["code"],
        scope="openid profile email" if openid else "profile email",
        default_scope="profile email",
    )
    run(server.clients.register(client, Secret("app-secret")), world)
    run(server.clients.register(attrs.evolve(client, client_id="phone", token_endpoint_auth_method="none")), world)
    return Site(server, pages, world, ResourceServer(server.tokens))


SITES = {
    "/tenant": make("http://localhost:8000/tenant", registration=Registration()),
    "/auth": make("http://127.0.0.1:8000", Paths.below("/auth"), registration=Registration()),
    "/tls": make("https://as.example/tls", registration=Registration()),
    "": make("http://localhost:8000", registration=Registration()),
}


def prefix_of(path: str, host: str | None) -> str:
    """Find which of them a request is for."""
    if (host or "").startswith("prefix."):
        return "/auth"
    for prefix, site in SITES.items():
        if path.startswith(f"{prefix}/") and (prefix or path == "/me"):
            return prefix
        if site.server.owns(path):
            return prefix
    return ""


async def me_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await ASGIAnswer(ME)(scope, receive, send)


def me_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return WSGIAnswer(ME)(environ, start_response)


_ASGI = {
    prefix: (
        ASGIOAuth(site.server, site.world, pages=site.pages),
        ASGIBearer(me_asgi, site.resource_server, site.world, "profile"),
    )
    for prefix, site in SITES.items()
}
_WSGI = {
    prefix: (
        WSGIOAuth(site.server, site.world, pages=site.pages),
        WSGIBearer(me_wsgi, site.resource_server, site.world, "profile"),
    )
    for prefix, site in SITES.items()
}


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Mount them as ASGI has it: the prefix in `root_path`, and in `path` too or, in older hosts, not."""
    if scope["type"] == "lifespan":
        return await _ASGI[""][0](scope, receive, send)
    hosts = [value.decode() for name, value in scope["headers"] if name == b"host"]
    prefix = prefix_of(scope["path"], hosts[0] if hosts else None)
    oauth, bearer = _ASGI[prefix]
    if scope["path"] == f"{prefix}/me":
        return await bearer(scope, receive, send)
    if scope["path"].startswith("/.well-known/"):
        return await oauth.well_known(scope, receive, send)
    mounted = {**scope, "root_path": prefix}
    if prefix == "/tenant":  # as before ASGI 3 said otherwise
        mounted["path"] = scope["path"][len(prefix) :]
        mounted["raw_path"] = scope["raw_path"][len(prefix) :]
    return await oauth(mounted, receive, send)


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Mount them as WSGI has it: the prefix moves from `PATH_INFO` to `SCRIPT_NAME`."""
    path = environ["PATH_INFO"]
    prefix = prefix_of(path, environ.get("HTTP_HOST"))
    oauth, bearer = _WSGI[prefix]
    if path == f"{prefix}/me":
        return bearer(environ, start_response)
    if path.startswith("/.well-known/"):
        return oauth.well_known(environ, start_response)
    if not path.startswith(f"{prefix}/"):
        prefix = ""
    mounted = {**environ, "SCRIPT_NAME": prefix, "PATH_INFO": path[len(prefix) :]}
    return oauth(mounted, start_response)


async def h11(request: Request) -> Response:
    """Be what the h11 server serves: it adds the length by itself, and the rest as the application of its own does."""
    response = _h11(request)
    return attrs.evolve(response, headers=tuple(pair for pair in complete(response) if pair[0] != "Content-Length"))


EXAMPLE = make("http://localhost:8000/auth", openid=False)


def too_large(path: str, *, example: bool) -> Response | None:
    """Refuse a body that the h11 server has not read, as the endpoint at a path does."""
    site = EXAMPLE if example else SITES[prefix_of(path, None)]
    refused = site.server.refuse(path, ContentTooLarge("the body is too large"))
    if refused is None:
        return None
    return attrs.evolve(refused, headers=tuple(pair for pair in complete(refused) if pair[0] != "Content-Length"))


async def h11_example(request: Request) -> Response:
    """Be what the examples serve, but for their own pages and routes."""
    response = run(EXAMPLE.server.handle(request), EXAMPLE.world)
    return attrs.evolve(response, headers=tuple(pair for pair in complete(response) if pair[0] != "Content-Length"))


def _h11(request: Request) -> Response:
    site = SITES[prefix_of(request.path, request.header("host"))]
    if request.path.endswith("/me"):
        verdict = run(site.resource_server.verify(request, "profile"), site.world)
        return verdict if isinstance(verdict, Response) else ME
    if site.pages.owns(request.path):
        return run(site.pages.handle(request), site.world)
    return run(site.server.handle(request, site.pages.login_of(request), site.pages.error_page(request)), site.world)
