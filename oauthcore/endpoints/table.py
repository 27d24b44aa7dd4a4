"""The table of endpoints: the core's own, declared in the same way as a host's.

The server looks up a request's path in this table, and runs the flow of the endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from oauthcore.ciba import Ciba
from oauthcore.clients.dynamic_registration import Registrar
from oauthcore.context import Context, Paths
from oauthcore.device_grant import DeviceGrant
from oauthcore.endpoints.authorization import authorization
from oauthcore.endpoints.backchannel_authentication import backchannel_authentication
from oauthcore.endpoints.client_configuration import client_configuration
from oauthcore.endpoints.device_authorization import device_authorization
from oauthcore.endpoints.end_session import end_session_endpoint
from oauthcore.endpoints.endpoint import NO_DOCUMENT, Endpoint, EndpointRequest
from oauthcore.endpoints.introspection import introspection
from oauthcore.endpoints.jwks import jwks
from oauthcore.endpoints.pushed_authorization_request import pushed_authorization_request
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
from oauthcore.pushed_requests import PushedRequests
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
    device: DeviceGrant | None = None,
    ciba: Ciba | None = None,
    pushed_requests: PushedRequests | None = None,
) -> list[Endpoint]:
    """Return the core's endpoints, all but the metadata; a feature that is off has none."""
    return [
        *browser_endpoints(paths),
        *client_endpoints(paths, grants),
        *([] if pushed_requests is None else [pushed_request_endpoint(paths, pushed_requests)]),
        *([] if registrar is None else [registration_endpoint(paths, registrar)]),
        *([] if device is None else [device_endpoint(paths, device)]),
        *([] if keys is None else [jwks_endpoint(paths, keys)]),
        *([] if openid is None else openid_endpoints(paths)),
        *([] if ciba is None else [backchannel_endpoint(paths, ciba)]),
    ]


def browser_endpoints(paths: Paths) -> list[Endpoint]:
    """Return those that a user's browser is sent to: errors are pages, and cookies are read."""
    return [
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
            path=paths.resume,
            flow=resume,
            methods=_GET,
            refuses="page",
        ),
    ]


def client_endpoints(paths: Paths, grants: Mapping[str, GrantFlow]) -> list[Endpoint]:
    """Return those that clients and resource servers call; no cookie is read, so most are open to any origin."""
    return [
        Endpoint(
            path=paths.token,
            flow=partial(token, grants),
            cors=ANY_ORIGIN,
            repeatable=frozenset({"resource", "audience"}),  # RFC 8707 section 2.2, RFC 8693 section 2.1
            metadata="token_endpoint",
        ),
        # RFC 7662 section 2.1: for resource servers, which are no pages in a browser.
        Endpoint(
            path=paths.introspection,
            flow=introspection,
            metadata="introspection_endpoint",
        ),
        # RFC 7009 section 2.3: cross-origin calls let an application in the browser revoke its own tokens.
        Endpoint(
            path=paths.revocation,
            flow=revocation,
            cors=ANY_ORIGIN,
            metadata="revocation_endpoint",
        ),
    ]


def registration_endpoint(paths: Paths, registrar: Registrar) -> Endpoint:
    """Return the client registration endpoint (RFC 7591), which is the configuration endpoint as well (RFC 7592)."""
    return Endpoint(
        path=paths.registration,
        flow=lambda incoming, context: register_or_configure(incoming, registrar, context),
        methods=("POST", "GET", "PUT", "DELETE"),
        cors=ANY_ORIGIN,
        metadata="registration_endpoint",
    )


def pushed_request_endpoint(paths: Paths, settings: PushedRequests) -> Endpoint:
    """Return the pushed authorization request endpoint (RFC 9126), for applications in a browser, too."""
    return Endpoint(
        path=paths.pushed_authorization_request,
        flow=lambda incoming, context: pushed_authorization_request(incoming, settings, context),
        cors=ANY_ORIGIN,
        repeatable=frozenset({"resource"}),  # RFC 8707 section 2.1
        metadata="pushed_authorization_request_endpoint",  # RFC 9126 section 5
    )


def device_endpoint(paths: Paths, device: DeviceGrant) -> Endpoint:
    """Return the device authorization endpoint (RFC 8628); devices are no pages, so no other origin calls it."""
    return Endpoint(
        path=paths.device_authorization,
        flow=lambda incoming, context: device_authorization(incoming, device, context),
        repeatable=frozenset({"resource"}),  # RFC 8707 section 2.1
        metadata="device_authorization_endpoint",  # RFC 8628 section 4
    )


def backchannel_endpoint(paths: Paths, ciba: Ciba) -> Endpoint:
    """Return the backchannel authentication endpoint (CIBA Core section 7); confidential clients alone may call it."""
    return Endpoint(
        path=paths.backchannel_authentication,
        flow=lambda incoming, context: backchannel_authentication(incoming, ciba, context),
        repeatable=frozenset({"resource"}),  # RFC 8707 section 2
        metadata="backchannel_authentication_endpoint",
    )


def jwks_endpoint(paths: Paths, keys: KeySet) -> Endpoint:
    """Return the endpoint of the server's public keys (RFC 7517 section 5)."""
    return Endpoint(
        path=paths.jwks,
        flow=lambda _, context: jwks(keys, context.now),
        methods=_READ,
        cors=ANY_ORIGIN,
        metadata="jwks_uri",
    )


def openid_endpoints(paths: Paths) -> list[Endpoint]:
    """Return those of an OpenID Provider."""
    return [
        Endpoint(
            path=paths.userinfo,
            flow=userinfo,
            # OIDC Core section 5.3: GET and POST; section 5.3.3: errors as RFC 6750 has them.
            methods=_BOTH,
            refuses="challenge",
            scope=OPENID_SCOPE,
            cors=ANY_ORIGIN,
            metadata="userinfo_endpoint",
            takes_proofs=True,
        ),
        Endpoint(
            path=paths.end_session,
            flow=end_session_endpoint,
            # RP-Initiated Logout section 2: GET and POST.
            methods=_BOTH,
            refuses="page",
            metadata="end_session_endpoint",
        ),
    ]


def register_or_configure(incoming: EndpointRequest, registrar: Registrar, context: Context) -> Flow[Outcome]:
    """Register a client, or let one that is registered see to itself: the two endpoints have one path."""
    flow = registration if incoming.request.method == "POST" else client_configuration
    return flow(incoming.request, registrar, context)


def check_endpoints(own: Iterable[Endpoint], added: Iterable[Endpoint], paths: Paths) -> tuple[Endpoint, ...]:
    """Return the endpoints that a host adds; raises `ConfigurationError` if one is in the way of another."""
    taken = {endpoint.path for endpoint in own} | {paths.login, paths.consent, paths.logout, paths.device}
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


def absent_document(path: str) -> Endpoint:
    """Return the endpoint of a place where clients look for a document that this server has elsewhere.

    A framework's own 404 would be a page, or one that a client in a browser can't read: to that client it is a network
    error, after which it looks in no other place.
    """
    return document_endpoint(path, NO_DOCUMENT)
