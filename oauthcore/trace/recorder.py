"""A recorder stands in front of a server, and hands out a trace of each decision of it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Generator, Iterable
from typing import Any

import attrs

from oauthcore.flow.effects import Effect, Flow
from oauthcore.records.login import Login
from oauthcore.server import AuthorizationServer
from oauthcore.trace.recording import Recording
from oauthcore.trace.redaction import redacted_request
from oauthcore.trace.trace import Trace
from oauthcore.wire.http import Request, Response
from oauthcore.wire.refusals import RenderErrorPage


class Recorder:
    """Stand in front of a server: what it answers is what the server does, and `save` is handed a trace of each answer.

    Run what it gives by either driver. What is recorded is one request: its facts, not those of others meanwhile.
    `server` is the whole of the server with that in it, to be given to a host in its place.
    """

    def __init__(self, server: AuthorizationServer, save: Callable[[Trace], object]) -> None:
        self._server = server
        self._save = save

    @property
    def server(self) -> AuthorizationServer:
        """Return a server that is the same one, for any host, and whose answers are recorded."""
        recorded = copy.copy(self._server)
        recorded.handle = self.handle  # type: ignore[method-assign]  # of this copy alone, as the next two
        recorded.finish = self.finish  # type: ignore[method-assign]
        recorded.deny = self.deny  # type: ignore[method-assign]
        return recorded

    def handle(
        self, request: Request, login: Login | None = None, error_page: RenderErrorPage | None = None
    ) -> Generator[Effect, Any, Response]:
        """Answer a request as the server does."""
        recording = Recording(self._server)
        flow = recording.server.handle(request, login, error_page)
        is_known = self._server.owns(request.path)

        def asked() -> dict[str, Any]:
            """Return the request without its secrets."""
            return _request(redacted_request(request, recording.placeholders, is_known=is_known))

        return self._heard(recording, flow, "handle", asked, login)

    def finish(
        self,
        handle: str,
        login: Login | str,
        scope: Iterable[str] | None = None,
        *,
        remember: bool = True,
        error_page: RenderErrorPage | None = None,
    ) -> Generator[Effect, Any, Response]:
        """Report who is signed in and what they allowed, as the server does."""
        recording = Recording(self._server)
        allowed = None if scope is None else tuple(scope)
        flow = recording.server.finish(handle, login, allowed, remember=remember, error_page=error_page)
        said = {"scope": allowed and list(allowed), "remember": remember}
        return self._heard(
            recording, flow, "finish", lambda: {"handle": recording.placeholders.of_made(handle), **said}, login
        )

    def deny(
        self, handle: str, login: Login | str | None, *, error_page: RenderErrorPage | None = None
    ) -> Generator[Effect, Any, Response]:
        """Report that the person said no, as the server does."""
        recording = Recording(self._server)
        flow = recording.server.deny(handle, login, error_page=error_page)
        return self._heard(recording, flow, "deny", lambda: {"handle": recording.placeholders.of_made(handle)}, login)

    def _heard(
        self,
        recording: Recording,
        flow: Flow[Response],
        call: str,
        request: Callable[[], dict[str, Any]],
        login: Login | str | None,
    ) -> Generator[Effect, Any, Response]:
        response = yield from recording.listen(flow)
        try:
            self._save(recording.trace(call, request, login, response))
        except Exception as failure:  # whatever it is: what was asked is answered, and may be done
            warnings.warn(f"no trace of this: {type(failure).__name__}: {failure}", RuntimeWarning, stacklevel=2)
        return response


def _request(request: Request) -> dict[str, Any]:
    peer = None if request.peer is None else attrs.asdict(attrs.evolve(request.peer, certificate=None))
    return {
        "method": request.method,
        "target": request.target,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body.decode("latin-1"),
        "peer": peer,
    }
