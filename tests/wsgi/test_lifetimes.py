"""Whole lifetimes of grants, through a WSGI application."""

from __future__ import annotations

import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import settings

from oauthcore import AuthorizationServer, Request, Response, World
from oauthcore.testing import GrantMachine, Lifetime
from oauthcore_wsgi import OAuth

pytestmark = pytest.mark.slow


def adapter(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
    """Put a server into a WSGI application, and give how that is asked."""
    application = OAuth(server, world)

    def handle(request: Request) -> Response:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.url_scheme": "https",
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        setup_testing_defaults(environ)
        started: list[Any] = []
        body = b"".join(application(environ, lambda status, headers: started.extend((status, headers))))  # type: ignore[arg-type]  # all that it calls it with
        status, headers = started
        return Response(HTTPStatus(int(status.split()[0])), tuple(headers), body)

    return handle


class ThroughWsgi(GrantMachine):
    def lifetime(self) -> Lifetime:  # type: ignore[explicit-override]  # none in 3.11
        return Lifetime(adapter=adapter)


TestThroughWsgi = ThroughWsgi.TestCase
TestThroughWsgi.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
