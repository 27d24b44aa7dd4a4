"""Below a prefix: each framework, each way of being there, and each issuer with a path, in one table.

`tests/django/test_prefixes.py` has Django's rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from bottle import Bottle
from fastapi import APIRouter, FastAPI
from flask import Flask
from litestar import Litestar, get
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import oauthcore_asgi
import oauthcore_asgi.aiohttp
import oauthcore_asgi.fastapi
import oauthcore_asgi.litestar
import oauthcore_asgi.quart
import oauthcore_asgi.starlette
import oauthcore_wsgi
import oauthcore_wsgi.bottle
import oauthcore_wsgi.flask
from oauthcore import ConfigurationError
from oauthcore.wire.mounting import prefixes_of, seen_below
from tests.hosts.prefixes import (
    BASIC,
    FORM,
    ISSUERS,
    MINE,
    TOKEN_KEY,
    Ask,
    by_asgi,
    by_wsgi,
    check,
    check_own,
    check_root,
    register,
    world_of,
)

API = "/api"


def made(kind: Any, issuer: str, prefix: str = "") -> Any:
    oauth = kind.at(issuer, world_of(), TOKEN_KEY, interaction="/consent", login=lambda _: None, prefix=prefix)
    register(oauth)
    return oauth


async def mine(_: Request) -> PlainTextResponse:
    return PlainTextResponse(MINE)


def starlette(oauth: Any) -> Starlette:
    return Starlette(routes=[*oauth.routes, Route("/token", mine)])


def fastapi(oauth: Any) -> FastAPI:
    app = FastAPI(routes=oauth.routes)
    app.add_api_route("/token", lambda: PlainTextResponse(MINE))
    return app


@get("/token", sync_to_thread=False)
def mine_of_litestar() -> bytes:
    return MINE


def litestar(oauth: Any) -> Litestar:
    return Litestar(plugins=[oauth])


def quart(oauth: Any) -> Quart:
    app = Quart(__name__)
    app.register_blueprint(oauth.blueprint)

    @app.route("/token")
    async def token() -> bytes:
        return MINE

    return app


def flask(oauth: Any) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(oauth.blueprint)
    app.add_url_rule("/<path:anything>", "anything", lambda anything: MINE if anything == "token" else ("", 404))
    return app


def bottle(oauth: Any) -> Bottle:
    app = Bottle()
    oauth.install(app)
    return app


ASGI = {
    "plain": (oauthcore_asgi.OAuth, lambda oauth: oauth),
    "starlette": (oauthcore_asgi.starlette.OAuth, starlette),
    "fastapi": (oauthcore_asgi.fastapi.OAuth, fastapi),
    "litestar": (oauthcore_asgi.litestar.OAuth, litestar),
    "quart": (oauthcore_asgi.quart.OAuth, quart),
}
WSGI = {
    "plain": (oauthcore_wsgi.OAuth, lambda oauth: oauth),
    "flask": (oauthcore_wsgi.flask.OAuth, flask),
    "bottle": (oauthcore_wsgi.bottle.OAuth, bottle),
}
asgi = pytest.mark.parametrize(("kind", "app_of"), ASGI.values(), ids=ASGI)
wsgi = pytest.mark.parametrize(("kind", "app_of"), WSGI.values(), ids=WSGI)
issuers = pytest.mark.parametrize("issuer", ISSUERS)
Make = Callable[[Any], Any]


@asgi
@issuers
def test_at_the_hosts_root(kind: Any, app_of: Make, issuer: str) -> None:
    ask = by_asgi(app_of(made(kind, issuer)))

    check(ask, issuer)
    check_root(ask, issuer)


@asgi
@issuers
@pytest.mark.parametrize("keeps", [True, False], ids=["kept in the path", "cut off the path"])
def test_below_a_root_path(kind: Any, app_of: Make, issuer: str, *, keeps: bool) -> None:
    """`uvicorn --root-path /api`, `FastAPI(root_path=…)` and a mounted application: ASGI tells the prefix."""
    check(by_asgi(app_of(made(kind, issuer)), API, keeps=keeps), issuer)


@asgi
@issuers
def test_the_hosts_root_where_a_root_path_is_put_in_front_of_everything(kind: Any, app_of: Make, issuer: str) -> None:
    """As `uvicorn --root-path` does with what a proxy sends it as it is."""
    ask = by_asgi(app_of(made(kind, issuer)), API)

    check_root(lambda method, path, body: ask(method, API + path, body), issuer)


@asgi
@issuers
def test_behind_a_proxy_that_cuts_the_prefix_off(kind: Any, app_of: Make, issuer: str) -> None:
    check(by_asgi(app_of(made(kind, issuer, API)), cut=API), issuer)


@asgi
@issuers
def test_as_a_mounted_application(kind: Any, app_of: Make, issuer: str) -> None:
    oauth = made(kind, issuer)
    ask = by_asgi(Starlette(routes=[Mount(API, app_of(oauth)), Mount("/.well-known", oauth.well_known)]))

    check(ask, issuer)
    check_root(ask, issuer)


@issuers
def test_in_a_router_with_a_prefix(issuer: str) -> None:
    oauth = made(oauthcore_asgi.fastapi.OAuth, issuer)
    app = FastAPI()
    app.include_router(APIRouter(routes=oauth.routes), prefix=API)
    app.mount("/.well-known", oauth.well_known)

    check(by_asgi(app), issuer)
    check_root(by_asgi(app), issuer)


@issuers
@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
def test_fastapi_has_a_root_path_of_its_own(issuer: str) -> None:
    app = FastAPI(root_path=API, routes=made(oauthcore_asgi.fastapi.OAuth, issuer).routes)

    check(by_asgi(app), issuer)
    check_root(by_asgi(app), issuer)


def beside(oauth: Any, app: Any) -> Starlette:
    """Put the metadata at the host's root, beside an application that routes nothing outside its prefix."""
    return Starlette(routes=[Mount("/.well-known", oauth.well_known), Mount("/", app)])


@issuers
def test_litestar_has_a_path_of_its_own(issuer: str) -> None:
    oauth = made(oauthcore_asgi.litestar.OAuth, issuer)
    ask = by_asgi(beside(oauth, Litestar(path=API, plugins=[oauth])))

    check(ask, issuer)
    check_root(ask, issuer)


@issuers
def test_as_a_blueprint_of_quarts_with_a_prefix(issuer: str) -> None:
    oauth = made(oauthcore_asgi.quart.OAuth, issuer)
    app = Quart(__name__)
    app.register_blueprint(oauth.blueprint, url_prefix=API)
    ask = by_asgi(beside(oauth, app))

    check(ask, issuer)
    check_root(ask, issuer)


@issuers
def test_as_a_blueprint_of_flasks_with_a_prefix(issuer: str) -> None:
    oauth = made(oauthcore_wsgi.flask.OAuth, issuer)
    app = Flask(__name__)
    app.register_blueprint(oauth.blueprint, url_prefix=API)
    ask = by_wsgi(DispatcherMiddleware(app, {"/.well-known": oauth.well_known}))

    check(ask, issuer)
    check_root(ask, issuer)


def by_aiohttp(app: web.Application, cut: str = "") -> Ask:
    """Return how aiohttp's own server asks, on the loopback interface."""

    def ask(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        async def exchange() -> tuple[int, bytes]:
            headers = {"Authorization": BASIC, **({"Content-Type": FORM} if body else {})}
            async with TestClient(TestServer(app)) as client:
                response = await client.request(method, path.removeprefix(cut), data=body, headers=headers)
                return response.status, await response.read()

        return anyio.run(exchange)

    return ask


async def mine_of_aiohttp(_: web.Request) -> web.Response:
    return web.Response(body=MINE)


def aiohttp_asked(make: Callable[[], web.Application], cut: str = "") -> Ask:
    """An application of aiohttp's is good for one event loop."""
    return lambda *asked: by_aiohttp(make(), cut)(*asked)


@issuers
def test_aiohttp_as_a_sub_application(issuer: str) -> None:
    oauth = made(oauthcore_asgi.aiohttp.OAuth, issuer)

    def application() -> web.Application:
        app, below = web.Application(), web.Application()
        below.add_routes([web.get("/token/mine", mine_of_aiohttp), *oauth.routes])
        app.add_subapp(API, below)
        app.add_routes(route for route in oauth.routes if route.path in oauth.metadata_paths)
        app.add_routes([web.get("/token", mine_of_aiohttp)])
        return app

    check(aiohttp_asked(application), issuer)
    check_root(aiohttp_asked(application), issuer)
    check_own(aiohttp_asked(application), "/token")
    check_own(aiohttp_asked(application), "/api/token/mine")


@issuers
def test_aiohttp_behind_a_proxy_that_cuts_the_prefix_off(issuer: str) -> None:
    oauth = made(oauthcore_asgi.aiohttp.OAuth, issuer, API)

    def application() -> web.Application:
        app = web.Application()
        app.add_routes(oauth.routes)
        return app

    check(aiohttp_asked(application, API), issuer)


@wsgi
@issuers
def test_wsgi_at_the_hosts_root(kind: Any, app_of: Make, issuer: str) -> None:
    ask = by_wsgi(app_of(made(kind, issuer)))

    check(ask, issuer)
    check_root(ask, issuer)


@wsgi
@issuers
def test_below_a_script_name(kind: Any, app_of: Make, issuer: str) -> None:
    check(by_wsgi(app_of(made(kind, issuer)), API), issuer)


@wsgi
@issuers
def test_wsgi_behind_a_proxy_that_cuts_the_prefix_off(kind: Any, app_of: Make, issuer: str) -> None:
    check(by_wsgi(app_of(made(kind, issuer, API)), cut=API), issuer)


@wsgi
@issuers
def test_dispatched_to_below_a_prefix(kind: Any, app_of: Make, issuer: str) -> None:
    oauth = made(kind, issuer)
    ask = by_wsgi(DispatcherMiddleware(oauth.well_known, {API: app_of(oauth)}))

    check(ask, issuer)
    check_root(ask, issuer)


@pytest.mark.parametrize("app_of", [starlette, fastapi, quart], ids=["starlette", "fastapi", "quart"])
def test_a_route_with_the_path_of_an_endpoints_rest_stays_the_applications_own(app_of: Make) -> None:
    kind = ASGI[app_of.__name__][0]

    check_own(by_asgi(app_of(made(kind, ISSUERS[0]))), "/token")


def test_litestar_keeps_its_own_handlers() -> None:
    app = Litestar([mine_of_litestar], plugins=[made(oauthcore_asgi.litestar.OAuth, ISSUERS[0])])

    assert by_asgi(app)("GET", "/token", b"")[0] == 200


def test_flasks_rule_for_whatever_is_left_is_not_hidden() -> None:
    check_own(by_wsgi(flask(made(oauthcore_wsgi.flask.OAuth, ISSUERS[0]))), "/token")


@pytest.mark.parametrize("kind", [oauthcore_asgi.OAuth, oauthcore_wsgi.OAuth])
def test_a_prefix_that_the_endpoints_are_not_below_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="prefix = '/other'"):
        made(kind, ISSUERS[0], "/other")


def test_the_rests_of_paths_are_those_below_each_shared_folder() -> None:
    paths = ("/api/auth/token", "/api/auth/authorize/resume")

    assert prefixes_of(paths) == ("", "/api", "/api/auth")
    assert seen_below(prefixes_of(paths), (*paths, "/x")) == (
        *paths,
        "/x",
        "/auth/token",
        "/auth/authorize/resume",
        "/token",
        "/authorize/resume",
    )
    assert prefixes_of(("/token", "/authorize")) == ("",)
