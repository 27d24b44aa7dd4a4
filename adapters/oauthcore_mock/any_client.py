"""Clients that are not registered: their identifier is accepted, with any secret or none.

A test suite in another language then needs no set-up at the provider. The core is not changed: the client is registered
at its first request, and its requests get the secret that it was registered with.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qsl, quote_plus, urlencode

import attrs

from oauthcore import AuthorizationServer, ConfigurationError, Request, World, run
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.wire.http import Headers
from oauthcore_mock.clients import SECRET, authenticated_as

# The parameters that authenticate a client in a form (RFC 6749 section 2.3.1, RFC 7521 section 4.2); all are removed.
_SHOWN = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class AnyClient:
    """Accept any client at one issuer; `register` is called with the identifier of a new one."""

    def __init__(self, server: AuthorizationServer, world: World, register: Callable[[str], object]) -> None:
        self._server = server
        self._world = world
        self._register = register
        self._taken: set[str] = set()
        paths = server.paths
        self._authenticated = {server.base + path for path in (paths.token, paths.introspection, paths.revocation)}

    def take(self, request: Request) -> Request:
        """Return a request as its client would send it with registered credentials."""
        client_id = named_client(request)
        if client_id is None or not self._is_taken(client_id) or request.path not in self._authenticated:
            return request
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        body = urlencode([(name, value) for name, value in pairs if name not in _SHOWN]).encode()
        shown = base64.b64encode(f"{quote_plus(client_id)}:{SECRET}".encode()).decode()
        headers: Headers = tuple(pair for pair in request.headers if pair[0] != "authorization")
        return attrs.evolve(request, headers=(*headers, ("authorization", f"Basic {shown}")), body=body)

    def _is_taken(self, client_id: str) -> bool:
        """Return whether a client is accepted without registration; an unknown one is added."""
        known = run(self._server.clients.find(client_id), self._world)
        if known is None:
            try:
                self._register(client_id)
            except ConfigurationError:  # not a possible client identifier; the core refuses it
                return False
            self._taken.add(client_id)
        return client_id in self._taken


def named_client(request: Request) -> str | None:
    """Return the client that a request names in any way, not authenticated."""
    pairs = parse_qsl(request.query) + parse_qsl(request.body.decode("utf-8", "replace"))
    parameters = dict(pairs)
    if "client_id" in parameters:
        return parameters["client_id"]
    if "client_assertion" not in parameters:
        return authenticated_as(request)
    try:
        # RFC 7523 section 3: the subject of a client's assertion is its client_id.
        subject = read_claims(read_signed(parameters["client_assertion"]).payload).get("sub")
    except InvalidJwt:
        return None
    return subject if isinstance(subject, str) else None
