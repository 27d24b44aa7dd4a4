"""A plugin for pytest: whatever a server is asked is recorded and played again, and comes to the same decision."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest

from oauthcore import AuthorizationServer, Request, Response
from oauthcore.flow.effects import Effect
from oauthcore.trace import Recorder, Trace, replay

_METHODS = ("handle", "finish", "deny")
_SIGNATURE = re.compile(r"eyJ[\w-]+\.[\w-]+\.([\w-]{20,})")
played = 0


class Plain(AuthorizationServer):
    """Be a server that only answers."""

    handle, finish, deny = (getattr(AuthorizationServer, name) for name in _METHODS)


def _replayed_method(name: str) -> Callable[..., Generator[Effect, Any, Response]]:
    def method(server: AuthorizationServer, *given: Any, **named: Any) -> Generator[Effect, Any, Response]:
        """Answer, and see that it can be told why."""
        global played
        plain = copy.copy(server)
        plain.__class__ = Plain
        traces: list[Trace] = []
        response: Response = yield from getattr(Recorder(plain, traces.append), name)(*given, **named)
        text = traces[0].dump()
        differences = replay(Trace.load(text), make_server=partial(Plain, grants=server._grants)).differences
        assert differences == (), f"{name} {given}: {differences}"
        asked = [(one.target, one.body.decode("latin-1"), one.headers) for one in given if isinstance(one, Request)]
        for signature in _SIGNATURE.findall(str(asked)):
            assert signature not in text
        played += 1
        return response

    return method


@pytest.fixture(autouse=True)
def _replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _METHODS:
        monkeypatch.setattr(AuthorizationServer, name, _replayed_method(name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many decisions there were."""
    terminalreporter.write_line(f"{played} decisions came out the same again")
