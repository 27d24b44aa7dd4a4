"""Flask's own ways: the blueprint, with the pages of `oauthcore_pages` in it where the application has none."""

from __future__ import annotations

from flask import Flask

from oauthcore import MemoryStorage, World
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_pages import Pages
from oauthcore_wsgi.flask import OAuth
from tests.asgi.test_application import server
from tests.core.resource.test_server import NOW


def test_pages_are_in_the_blueprint() -> None:
    made = server()
    pages = Pages(made, key=bytes(32), clock=FixedClock(NOW), entropy=SeededEntropy(1))
    oauth = OAuth(made, World(MemoryStorage()), pages=pages)
    app = Flask(__name__)
    app.register_blueprint(oauth.blueprint)

    assert b'type="password"' in app.test_client().get("/t/login").data
    assert app.test_client().get("/t/token").status_code == 405
