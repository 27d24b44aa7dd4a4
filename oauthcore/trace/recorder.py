"""A recorder makes a trace of each decision of a server."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable
from typing import Any

import attrs

from oauthcore.flow.effects import Flow
from oauthcore.instruments import Call
from oauthcore.server import AuthorizationServer
from oauthcore.trace.placeholders import Placeholders
from oauthcore.trace.recording import Recording
from oauthcore.trace.redaction import redacted_request
from oauthcore.trace.trace import Trace
from oauthcore.wire.http import Request, Response


class Recorder:
    """Record the decisions of a server: `save` is called with the trace of each response of `recorded(server)`.

    A trace has the facts of one request, without those of concurrent requests.
    """

    def __init__(self, save: Callable[[Trace], object]) -> None:
        self._save = save

    def recorded(self, server: AuthorizationServer) -> AuthorizationServer:
        """Return a server that behaves the same, for any host, and whose decisions are recorded."""
        return server.with_instruments(attrs.evolve(server.instruments, record=self.record))

    def record(self, call: Call) -> Flow[Response]:
        """Run a call as the server does, and save a trace of it; used as `Instruments.record`."""
        recording = Recording(call)
        return self._saved(recording, call.answer(recording.instruments), call)

    def _saved(self, recording: Recording, flow: Flow[Response], call: Call) -> Flow[Response]:
        response = yield from recording.listen(flow)
        try:
            self._save(recording.trace(lambda: _arguments(call, recording.placeholders), response))
        except Exception as failure:  # of any kind: the decision is committed, so the response has to go out
            warnings.warn(f"no trace of this: {type(failure).__name__}: {failure}", RuntimeWarning, stacklevel=2)
        return response


def _arguments(call: Call, placeholders: Placeholders) -> dict[str, Any]:
    """Return the arguments of the call without secrets; the login of the user is a member of its own in a trace."""
    arguments = call.arguments
    if call.name == "handle":
        is_used = call.settings.get("mutual_tls") is not None
        request = arguments["request"]
        return _request(redacted_request(request, placeholders, is_known=call.is_known, has_certificate=is_used))
    request = {"handle": placeholders.of_made(arguments["handle"])}
    if call.name == "finish":
        scope = arguments["scope"]
        request |= {"scope": None if scope is None else list(scope), "remember": arguments["remember"]}
    return request


def _request(request: Request) -> dict[str, Any]:
    peer = None if request.peer is None else attrs.asdict(request.peer)
    if peer is not None and peer["certificate"] is not None:
        peer["certificate"] = base64.b64encode(peer["certificate"]).decode("ascii")
    return {
        "method": request.method,
        "target": request.target,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body.decode("latin-1"),
        "peer": peer,
    }
