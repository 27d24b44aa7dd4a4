"""What an endpoint is: a value, the same for the core's own and for those of a host.

The server looks a request's path up, refuses other methods, answers preflights, runs the flow, and refuses errors in
the form that the endpoint's peers read. An endpoint says which; nothing is known of it by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import attrs

from oauthcore.context import Context
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Outcome
from oauthcore.per_request import per_request
from oauthcore.records.login import Login
from oauthcore.scope import Scope
from oauthcore.wire.cors import CORS, Cors, preflight
from oauthcore.wire.http import Headers, Request, Response, with_headers
from oauthcore.wire.parameters import Parameters, form_of, query_of


@per_request
class EndpointRequest:
    """Hold one request to an endpoint; `login` is who is signed in at the host, if the endpoint has `asks_login`."""

    request: Request
    login: Login | None
    repeatable: frozenset[str]

    def form(self) -> Parameters:
        """Return the parameters in the body, of which only what the endpoint declares may be repeated."""
        return form_of(self.request, self.repeatable)

    def query(self) -> Parameters:
        """Return the parameters in the query; the same rules apply as to a form."""
        return query_of(self.request, self.repeatable)


EndpointFlow = Callable[[EndpointRequest, Context], Flow[Outcome]]
# A path segment's characters (RFC 3986 section 3.3) without percent-encoding: paths are compared byte for byte.
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
_METHOD = re.compile(r"[A-Z]+")


@attrs.frozen(kw_only=True)
class Endpoint:
    """Declare an endpoint at a path below the issuer's own; raises `ConfigurationError` for an invalid path.

    `refuses` is the form of errors: OAuth's JSON, a page for the user, or the challenge of a protected resource (RFC
    6750 section 3) with `scope`. `cors` allows calls from pages of other origins; use it only for endpoints without
    cookies. `repeatable` are the parameters that may have several values; any other repeated parameter is refused (RFC
    6749 section 3.1). With `asks_login` the host determines who is signed in. `metadata` is the member of the metadata
    document that has the endpoint's URL, None if it is not published. With `takes_proofs`, its challenge names the
    scheme DPoP where the server has it (RFC 9449 section 7).
    """

    path: str
    flow: EndpointFlow
    methods: tuple[str, ...] = ("POST",)
    refuses: Literal["json", "page", "challenge"] = "json"
    cors: Cors | None = None
    repeatable: frozenset[str] = frozenset()
    asks_login: bool = False
    metadata: str | None = None
    scope: Scope = attrs.field(factory=Scope)
    takes_proofs: bool = False

    def __attrs_post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise ConfigurationError(
                "endpoints", self.path, "start the path with / and use URL path characters without percent-encoding"
            )
        if not self.methods or not all(map(_METHOD.fullmatch, self.methods)) or "OPTIONS" in self.methods:
            raise ConfigurationError(
                "endpoints", self.methods, 'name the methods, as in ("GET", "POST"), without OPTIONS'
            )
        if self.refuses not in {"json", "page", "challenge"}:
            raise ConfigurationError("endpoints", self.refuses, 'use "json", "page" or "challenge"')


def other_method(request: Request, endpoint: Endpoint) -> Response:
    """Answer a browser's preflight where other origins may call; refuse any other method (RFC 9110 section 15.5.6)."""
    cors = endpoint.cors
    # A preflight carries no credentials (Fetch section 3.2.5), so it is answered before anything is looked up.
    if request.method == "OPTIONS" and cors is not None:
        return preflight(request, endpoint.methods, cors)
    # RFC 9110 section 15.5.6: a 405 MUST have an Allow header.
    allow = endpoint.methods if cors is None else (*endpoint.methods, "OPTIONS")
    headers: Headers = (("Allow", ", ".join(allow)), ("Content-Type", "text/plain"))
    return Response(405, headers + (() if cors is None else cors.headers), b"Use another method.\n")


def is_well_known(path: str) -> bool:
    """Return whether a path is one of those where metadata is looked for, before or behind an issuer's path."""
    return "/.well-known/" in path


# RFC 9457 section 4.2: only the title of the status, since no problem has a type of its own here.
NO_DOCUMENT = Response(404, (("Content-Type", "application/problem+json"),), b'{"status": 404, "title": "Not Found"}')


def no_endpoint(request: Request) -> Response:
    """Return a 404.

    Clients look for metadata in several places (RFC 8414 section 3.1, OIDC Discovery section 4), also from pages of
    other origins. If they could not read the 404, they would take it for a network error and not try the next place.
    """
    if not is_well_known(request.path):
        return Response(404, (("Content-Type", "text/plain"),), b"There is nothing here.\n")
    if request.method == "OPTIONS":
        return preflight(request, ("GET", "HEAD"))
    return with_headers(NO_DOCUMENT, CORS)
