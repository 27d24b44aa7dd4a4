"""The table of endpoints: the core's own, declared as a host declares its own.

Nothing here answers anything: the server looks a request's path up, and asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oauthcore.clients.dynamic_registration import Registrar
from oauthcore.context import Context, Paths
from oauthcore.endpoints.authorization import authorization
from oauthcore.endpoints.client_configuration import client_configuration
from oauthcore.endpoints.end_session import end_session_endpoint
from oauthcore.endpoints.endpoint import Endpoint, EndpointRequest
from oauthcore.endpoints.introspection import introspection
from oauthcore.endpoints.jwks import jwks
from oauthcore.endpoints.registration import registration
from oauthcore.endpoints.resume import resume
from oauthcore.endpoints.revocation import revocation
from oauthcore.endpoints.token import token
from oauthcore.endpoints.userinfo import OPENID as OPENID_SCOPE
from oauthcore.endpoints.userinfo import userinfo
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.grants import GrantFlow
from oauthcore.openid import OpenID
from oauthcore.signing.keys import KeySet
from oauthcore.wire.cors import ANY_ORIGIN
from oauthcore.wire.http import Response

_GET, _BOTH, _READ = ("GET",), ("GET", "POST"), ("GET", "HEAD")


def own_endpoints(
    paths: Paths,
    grants: Mapping[str, GrantFlow],
    openid: OpenID | None,
    keys: KeySet | None,
    registrar: Registrar | None = None,
) -> list[Endpoint]:
    """Return the core's endpoints, all but the metadata."""
    endpoints = [
        Endpoint(
            path=paths.authorization,
            flow=authorization,
            methods=_BOTH,
            refuses="page",
            asks_login=True,
            repeatable=frozenset({"resource"}),  # RFC 8707 section 2.1
            metadata="authorization_endpoint",
        ),
        Endpoint(
            path=paths.token,
            # No cookies are read here, so a page of any origin may call it (RFC 6749 section 3.2; browser-based
            # clients).
            flow=lambda incoming, context: token(incoming, grants, context),
            cors=ANY_ORIGIN,
            repeatable=frozenset({"resource", "audience"}),  # RFC 8707 section 2.2, RFC 8693 section 2.1
            metadata="token_endpoint",
        ),
        Endpoint(
            path=paths.introspection,
            flow=lambda incoming, context: introspection(incoming.request, context),
            metadata="introspection_endpoint",
        ),
        Endpoint(
            path=paths.revocation,
            flow=lambda incoming, context: revocation(incoming.request, context),
            cors=ANY_ORIGIN,
            metadata="revocation_endpoint",
        ),
        Endpoint(
            path=paths.resume,
            flow=lambda incoming, context: resume(incoming.request, context),
            methods=_GET,
            refuses="page",
        ),
    ]
    if registrar is not None:
        endpoints.append(
            Endpoint(
                path=paths.registration,
                flow=lambda incoming, context: register_or_configure(incoming, registrar, context),
                methods=("POST", "GET", "PUT", "DELETE"),
                cors=ANY_ORIGIN,
                metadata="registration_endpoint",
            )
        )
    if keys is not None:
        endpoints.append(
            Endpoint(
                path=paths.jwks,
                flow=lambda _, context: jwks(keys, context.now),
                methods=_READ,
                cors=ANY_ORIGIN,
                metadata="jwks_uri",
            )
        )
    if openid is not None:
        endpoints += [
            Endpoint(
                path=paths.userinfo,
                flow=lambda incoming, context: userinfo(incoming.request, context),
                methods=_BOTH,
                refuses="challenge",
                scope=OPENID_SCOPE,
                cors=ANY_ORIGIN,
                metadata="userinfo_endpoint",
            ),
            Endpoint(
                path=paths.end_session,
                flow=lambda incoming, context: end_session_endpoint(incoming.request, context),
                methods=_BOTH,
                refuses="page",
                metadata="end_session_endpoint",
            ),
        ]
    return endpoints


def register_or_configure(incoming: EndpointRequest, registrar: Registrar, context: Context) -> Flow[Outcome]:
    """Register a client, or let one that is registered see to itself: the two endpoints have one path."""
    flow = registration if incoming.request.method == "POST" else client_configuration
    return flow(incoming.request, registrar, context)


def check_endpoints(own: Iterable[Endpoint], added: Iterable[Endpoint], paths: Paths) -> tuple[Endpoint, ...]:
    """Return the endpoints that a host adds; raises `ConfigurationError` where one is in the way of another."""
    taken = {endpoint.path for endpoint in own} | {paths.login, paths.consent, paths.logout}
    # The members of RFC 8414 section 2 that are endpoints' URLs end so: no endpoint takes the place of another member.
    members = {endpoint.metadata for endpoint in own}
    checked = tuple(added)
    for endpoint in checked:
        if endpoint.path in taken or endpoint.path.startswith("/.well-known/"):
            raise ConfigurationError("endpoints", endpoint.path, "use another path; this one is in use")
        if endpoint.metadata is not None and (
            endpoint.metadata in members or not endpoint.metadata.endswith(("_endpoint", "_uri"))
        ):
            raise ConfigurationError(
                "endpoints",
                endpoint.metadata,
                "name a metadata member that ends in _endpoint or _uri and is not in use",
            )
        taken.add(endpoint.path)
        members.add(endpoint.metadata)
    return checked


def document_endpoint(path: str, document: Response) -> Endpoint:
    """Return the endpoint of a document that never changes while the server runs."""
    return Endpoint(path=path, flow=lambda *_: pure(Decision(document)), methods=_READ, cors=ANY_ORIGIN)
