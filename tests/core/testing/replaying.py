"""A plugin for pytest: whatever a server is asked is recorded and played again, and comes to the same decision."""

from __future__ import annotations

import copy
import re
from collections.abc import Generator
from functools import partial
from typing import Any

import pytest

from oauthcore import AuthorizationServer, Login, Request, Response
from oauthcore.effects import Effect
from oauthcore.refusals import RenderErrorPage
from oauthcore.testing.trace import Recorder, Trace, replay

_PLAIN = AuthorizationServer.handle
_SIGNATURE = re.compile(r"eyJ[\w-]+\.[\w-]+\.([\w-]{20,})")
played = 0


class Plain(AuthorizationServer):
    """Be a server that only answers."""

    handle = _PLAIN


def handle(
    server: AuthorizationServer,
    request: Request,
    login: Login | None = None,
    error_page: RenderErrorPage | None = None,
) -> Generator[Effect, Any, Response]:
    """Answer, and see that it can be told why."""
    global played
    plain = copy.copy(server)
    plain.__class__ = Plain
    traces: list[Trace] = []
    response = yield from Recorder(plain, traces.append).handle(request, login, error_page)
    text = traces[0].dump()
    differences = replay(Trace.load(text), make_server=partial(Plain, grants=server._grants)).differences
    assert differences == (), f"{request}: {differences}"
    for signature in _SIGNATURE.findall(request.target + request.body.decode("latin-1") + str(request.headers)):
        assert signature not in text
    played += 1
    return response


@pytest.fixture(autouse=True)
def _replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuthorizationServer, "handle", handle)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many decisions there were."""
    terminalreporter.write_line(f"{played} decisions came out the same again")
