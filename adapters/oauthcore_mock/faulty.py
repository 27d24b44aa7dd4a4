"""Faulty responses, in the form of each endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never
from urllib.parse import parse_qsl

from oauthcore import AuthorizationServer, Refusal, Request, Response, World, run
from oauthcore.authorization.response_mode import form_post_page
from oauthcore.errors import OAuthError
from oauthcore.redirect_uri import is_registered, with_parameters
from oauthcore.wire.http import json_response, see_other
from oauthcore_mock.faults import Body, ErrorCode, Fault, Flawed, Malformed, Revoked, Slow, Status

_JSON = ("Content-Type", "application/json")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_REASON = "the test wants it so"


def faulty_response(
    fault: Fault, endpoint: str, request: Request, server: AuthorizationServer, world: World
) -> Response | None:
    """Return the faulty response; None if the fault leaves the response unchanged."""
    match fault:
        case ErrorCode():
            if endpoint == "authorization":
                return _sent_back(fault, request, server, world)
            return _refused(fault, request, server)
        case Status():
            return Response(fault.status, (_TEXT,), b"The test wants it so.\n", Refusal("", _REASON))
        case Malformed():
            return Response(200, (_JSON,), b'{"access_token": "abc", "token_type"', Refusal("", _REASON))
        case Body():
            headers = (("Content-Type", fault.content_type),)
            return Response(fault.status, headers, fault.body.encode(), Refusal("", _REASON))
        case Slow() | Flawed() | Revoked():
            return None
        case _:
            assert_never(fault)


def _refused(fault: ErrorCode, request: Request, server: AuthorizationServer) -> Response:
    """Return the error with its status and challenge, if the core has an error of this code."""
    known = next((kind for kind in _kinds(OAuthError.__subclasses__()) if kind.code == fault.code), None)
    if known is not None:
        error = known(_REASON)
        error.error_description = fault.description
        response = server.refuse(request.path, error)
        if response is not None:
            return response
    members = {"error": fault.code, "error_description": fault.description}
    answer = json_response(400, members)
    return Response(answer.status, answer.headers, answer.body, Refusal(fault.code, _REASON))


def _kinds(kinds: Iterable[type[OAuthError]]) -> Iterator[type[OAuthError]]:
    """Return the subclasses of a class that have a code."""
    for kind in kinds:
        if hasattr(kind, "code"):
            yield kind
        yield from _kinds(kind.__subclasses__())


def _sent_back(fault: ErrorCode, request: Request, server: AuthorizationServer, world: World) -> Response | None:
    """Redirect to the client with an error (RFC 6749 section 4.1.2.1).

    With an unregistered redirect URI the server refuses the request itself, as without the fault.
    """
    source = request.query if request.method == "GET" else request.body.decode("utf-8", "replace")
    parameters = dict(parse_qsl(source))
    uri = parameters.get("redirect_uri")
    client = run(server.clients.find(parameters.get("client_id", "")), world)
    if uri is None or client is None or not is_registered(uri, client.redirect_uris):
        return None
    answer = {"error": fault.code, "error_description": fault.description}
    answer |= {"state": parameters["state"]} if "state" in parameters else {}
    answer["iss"] = server.issuer  # RFC 9207 section 2: in errors, too
    mode = parameters.get("response_mode")
    if mode == "form_post":
        return Response(200, (("Content-Type", "text/html; charset=utf-8"),), form_post_page(uri, answer))
    is_front = {"token", "id_token"} & set(parameters.get("response_type", "").split(" "))
    return see_other(
        with_parameters(uri, "fragment" if mode == "fragment" or (is_front and not mode) else "query", answer)
    )
