"""The control API: how tests in other languages control a provider for tests, by JSON over HTTP.

Each operation is a row: method, path, members and action. The OpenAPI document is generated from the same rows,
and is served at `/_mock/openapi.json`.

Its callers can be any user and sign anything, so it is for the developer's own machine. Pages of other sites in the
developer's browser can't call it: a body has to be `application/json`, which a page may not send to another origin
without its permission (Fetch section 4.8), and this API gives none. And `Host` has to be one of the provider's own
names, not one that an attacker points at 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from oauthcore import ConfigurationError, Request, Response
from oauthcore.errors import OAuthError
from oauthcore.jose.strict_json import parse_object
from oauthcore.wire.http import Headers
from oauthcore.wire.parameters import query_of
from oauthcore.wire.text import ascii_lower, media_type
from oauthcore_mock.fields import read
from oauthcore_mock.openapi import document
from oauthcore_mock.operations import BASE, OPERATIONS, Call, NotThere, Operation
from oauthcore_mock.provider import Provider

_NO_CACHE = ("Cache-Control", "no-store")
DOCUMENT = f"{BASE}/openapi.json"


class Control:
    """Answer the requests below `/_mock` for a provider.

    `hosts` are the accepted values of `Host`; None accepts any, for a provider that is exposed to other machines.
    """

    def __init__(self, provider: Provider, hosts: Iterable[str] | None = None) -> None:
        self._provider = provider
        self._hosts = None if hosts is None else frozenset(map(ascii_lower, hosts))

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether a path belongs to the control API."""
        return path == BASE or path.startswith(f"{BASE}/")

    def handle(self, request: Request) -> Response:
        """Answer a request, with problem details (RFC 9457) if it is refused."""
        if self._hosts is not None and ascii_lower(request.header("host") or "") not in self._hosts:
            return _problem(421, "This provider for tests is not known under that Host.")
        if request.path == DOCUMENT and request.method == "GET":
            return _json(200, document())
        path = request.path.removeprefix(BASE)
        matches = [(one, named) for one in OPERATIONS if (named := one.match(path)) is not None]
        for operation, named in matches:
            if operation.method == request.method:
                return self._run(operation, named, request)
        if not matches:
            return _problem(404, f"There is no such operation; {BASE}/openapi.json lists them.")
        # RFC 9110 section 15.5.6: a 405 MUST have an Allow header.
        allow = ", ".join(operation.method for operation, _ in matches)
        return _problem(405, f"Use {allow}.", (("Allow", allow),))

    def _run(self, operation: Operation, named: Mapping[str, str], request: Request) -> Response:
        try:
            values = read(operation.fields, _given(operation, request))
            answer = operation.act(Call(self._provider, values, named))
        except NotThere as missing:
            return _problem(404, f"{missing}.")
        except _WrongType:
            return _problem(415, "Send a JSON object as application/json.")
        # Not JSON, an invalid setting of a client, or a repeated parameter (RFC 6749 section 3.1).
        except (ConfigurationError, OAuthError, ValueError) as wrong:
            return _problem(400, str(wrong))
        return Response(operation.status, (_NO_CACHE,)) if answer is None else _json(operation.status, answer)


class _WrongType(Exception):
    """Raised for a body that is not declared as JSON."""


def _given(operation: Operation, request: Request) -> Mapping[str, Any]:
    if operation.method != "POST":
        parameters = query_of(request)
        return {name: value for name in _names_in(request) if (value := parameters.get(name)) is not None}
    if media_type(request.header("content-type")) != "application/json":
        raise _WrongType
    return parse_object(request.body) if request.body else {}


def _names_in(request: Request) -> list[str]:
    return [unquote(pair.partition("=")[0]) for pair in request.query.split("&") if pair]


def _json(status: int, answer: object) -> Response:
    return Response(status, (("Content-Type", "application/json"), _NO_CACHE), json.dumps(answer).encode())


def _problem(status: int, detail: str, more: Headers = ()) -> Response:
    body = json.dumps({"status": status, "detail": detail}).encode()
    return Response(status, (("Content-Type", "application/problem+json"), _NO_CACHE, *more), body)
