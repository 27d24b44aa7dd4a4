"""A plugin for pytest: whatever a server is asked is recorded and played again, and comes to the same decision."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import pytest

from oauthcore import AuthorizationServer, Request, Response
from oauthcore.flow.effects import Flow
from oauthcore.instruments import Call
from oauthcore.trace import Recorder, Trace, replay
from tests.scale import scaled

_SIGNATURE = re.compile(r"eyJ[\w-]+\.[\w-]+\.([\w-]{20,})")
_CODE = (
    "grants",
    "endpoints",
    "client_id_metadata",
    "resources",
    "registration",
    "trusted_issuers",
    "token_exchange",
    "client_authentication",
    "authorization_details",
)
# Of one test's decisions, the first are played again: those that ask a thousand times ask the same.
MOST = scaled(20, 1_000_000)
played = 0
played_of_test = 0


def _replaying(make_server: Callable[..., AuthorizationServer]) -> Callable[[Call], Flow[Response]]:
    """Return what records each call and plays it again, by a server that `make_server` makes."""

    def record(call: Call) -> Flow[Response]:
        global played, played_of_test
        if played_of_test == MOST:
            return (yield from call.answer(attrs.evolve(call.instruments, record=None)))
        traces: list[Trace] = []
        response = yield from Recorder(traces.append).record(call)
        text = traces[0].dump()
        differences = replay(Trace.load(text), make_server=make_server).differences
        assert differences == (), f"{call.name} {call.arguments}: {differences}"
        asked = call.arguments.get("request")
        if isinstance(asked, Request):
            for signature in _SIGNATURE.findall(str((asked.target, asked.body.decode("latin-1"), asked.headers))):
                assert signature not in text
        played += 1
        played_of_test += 1
        return response

    return record


@pytest.fixture(autouse=True)
def _replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    global played_of_test
    original, played_of_test = AuthorizationServer.__init__, 0

    def init(server: AuthorizationServer, **settings: Any) -> None:
        """Make the server as ever, and have it recorded from its first request on."""
        original(server, **settings)
        code = {name: settings[name] for name in _CODE if name in settings}
        record = _replaying(partial(AuthorizationServer, **code))
        vars(server).update(vars(server.with_instruments(attrs.evolve(server.instruments, record=record))))

    monkeypatch.setattr(AuthorizationServer, "__init__", init)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many decisions there were."""
    terminalreporter.write_line(f"{played} decisions came out the same again")
