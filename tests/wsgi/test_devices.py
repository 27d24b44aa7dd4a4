"""A device at a WSGI application: its requests over HTTP, and the application's own page for its code (RFC 8628)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from oauthcore import MemoryStorage, World, run
from oauthcore.device_grant import DEVICE_CODE
from oauthcore_wsgi.flask import OAuth
from tests.asgi.test_devices import ALICE, device_server
from tests.core.devices.device_site import TV


@pytest.mark.parametrize(("approval", "told"), [("1", ("scope", "email")), ("0", ("error", "access_denied"))])
def test_device_is_answered_on_the_page_of_a_wsgi_application(approval: str, told: tuple[str, str]) -> None:
    server, world = device_server(), World(MemoryStorage())
    run(server.clients.register(TV), world)
    oauth, app = OAuth(server, world), Flask(__name__)
    app.register_blueprint(oauth.blueprint)

    @app.post("/device/enter")
    def enter() -> ResponseReturnValue:
        """Take the code of who is signed in."""
        pending = oauth.devices.enter(request, request.form["user_code"], ALICE)
        assert pending is not None
        assert oauth.devices.find(pending.id, ALICE) == pending
        return jsonify(id=pending.id, code=pending.user_code)

    @app.post("/device/answer")
    def answer() -> ResponseReturnValue:
        """Take their answer."""
        handle = request.form["id"]
        if request.form["approval"] == "1":
            return jsonify(oauth.devices.finish(handle, ALICE, ["email"]).value)
        return jsonify(oauth.devices.deny(handle, ALICE).value)

    def posted(path: str, **form: str) -> Any:
        return app.test_client().post(path, data=form).json

    codes = posted("/t/device_authorization", client_id="tv", scope="email profile")
    poll = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"], "client_id": "tv"}
    assert posted("/t/token", **poll)["error"] == "authorization_pending"
    shown = posted("/device/enter", user_code=codes["user_code"].lower())
    assert shown["code"] == codes["user_code"]
    assert posted("/device/answer", id=shown["id"], approval=approval) == ("approved" if approval == "1" else "denied")

    assert posted("/t/token", **poll)[told[0]] == told[1]
