"""The table of endpoints: which path is answered by what, by which methods, and for whom.

Nothing here answers anything: the server looks a request's path up, and asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from oauthcore.context import Context, Paths
from oauthcore.endpoints.authorization import authorization
from oauthcore.endpoints.end_session import end_session_endpoint
from oauthcore.endpoints.introspection import introspection
from oauthcore.endpoints.jwks import jwks
from oauthcore.endpoints.resume import resume
from oauthcore.endpoints.revocation import revocation
from oauthcore.endpoints.token import token
from oauthcore.endpoints.userinfo import userinfo
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.grants import GrantFlow
from oauthcore.openid import OpenID
from oauthcore.records.login import Login
from oauthcore.signing.keys import KeySet
from oauthcore.wire.cors import CORS, preflight
from oauthcore.wire.http import Headers, Request, Response

_GET, _POST, _READ = ("GET",), ("POST",), ("GET", "HEAD")


@attrs.frozen
class Endpoint:
    """Say what answers at a path.

    A page is refused as one, a resource by a challenge, everything else as JSON; other origins may call what `is_cors`;
    what `asks_login` wants to know who is signed in.
    """

    methods: tuple[str, ...]
    decide: Callable[[Request, Login | None, Context], Flow[Outcome]]
    is_page: bool = False
    is_cors: bool = False
    is_resource: bool = False
    asks_login: bool = False


def endpoint_table(
    paths: Paths, base: str, grants: Mapping[str, GrantFlow], openid: OpenID | None, keys: KeySet | None
) -> dict[str, Endpoint]:
    """Return the endpoints by their paths, below the issuer's own, all but the metadata."""
    table = {
        paths.authorization: Endpoint(_GET + _POST, authorization, is_page=True, asks_login=True),
        paths.resume: Endpoint(_GET, lambda r, _, context: resume(r, context), is_page=True),
        paths.token: Endpoint(_POST, lambda r, _, context: token(r, grants, context), is_cors=True),
        paths.introspection: Endpoint(_POST, lambda r, _, context: introspection(r, context)),
        paths.revocation: Endpoint(_POST, lambda r, _, context: revocation(r, context), is_cors=True),
    }
    if keys is not None:
        table[paths.jwks] = Endpoint(_READ, lambda _, __, context: jwks(keys, context.now), is_cors=True)
    if openid is not None:
        table[paths.userinfo] = Endpoint(
            _GET + _POST, lambda r, _, context: userinfo(r, context), is_cors=True, is_resource=True
        )
        table[paths.end_session] = Endpoint(
            _GET + _POST, lambda r, _, context: end_session_endpoint(r, context), is_page=True
        )
    return {base + path: endpoint for path, endpoint in table.items()}


def document_endpoint(document: Response) -> Endpoint:
    """Return the endpoint of a document that never changes while the server runs."""
    return Endpoint(_READ, lambda *_: pure(Decision(document)), is_cors=True)


def other_method(request: Request, endpoint: Endpoint) -> Response:
    """Answer a browser's preflight where other origins may call; refuse any other method (RFC 9110 section 15.5.6)."""
    if request.method == "OPTIONS" and endpoint.is_cors:
        return preflight(request, endpoint.methods)
    allow = (*endpoint.methods, "OPTIONS") if endpoint.is_cors else endpoint.methods
    headers: Headers = (("Allow", ", ".join(allow)), ("Content-Type", "text/plain"))
    return Response(405, headers + (CORS if endpoint.is_cors else ()), b"Use another method.\n")
