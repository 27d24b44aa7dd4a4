"""The metadata document (RFC 8414, OIDC Discovery 1.0), derived from what is enabled and from nothing else.

It is one document under two names, so that the two can't disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from oauthcore.authorization.request_object import offered
from oauthcore.authorization.response_type import RESPONSE_TYPES
from oauthcore.authorization_details import AuthorizationDetails
from oauthcore.ciba import Ciba
from oauthcore.clients.registered_keys import ASSERTION_ALGORITHMS
from oauthcore.clients.registration import METHODS
from oauthcore.dpop.settings import Dpop
from oauthcore.endpoints.discovery import openid_members
from oauthcore.endpoints.endpoint import Endpoint
from oauthcore.jose import crypto
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, CONTENT_ENCRYPTIONS, ENCRYPTIONS, SIGNATURES
from oauthcore.mutual_tls import METHODS as CERTIFICATE_METHODS
from oauthcore.mutual_tls import MutualTls
from oauthcore.openid import OpenID
from oauthcore.policy import Allowance, Policy
from oauthcore.pushed_requests import PushedRequests
from oauthcore.request_objects import NO_DEMANDS, RequestObjects
from oauthcore.resources import Resources
from oauthcore.token_exchange import TOKEN_TYPE
from oauthcore.wire.http import Response

# What clients call themselves, and not by a browser.
CALLED_WITH_CERTIFICATES = frozenset(
    {
        *("token_endpoint", "introspection_endpoint", "revocation_endpoint", "userinfo_endpoint"),
        *("pushed_authorization_request_endpoint", "device_authorization_endpoint"),
        "backchannel_authentication_endpoint",
    }
)

WELL_KNOWN = "/.well-known/oauth-authorization-server"
OPENID_WELL_KNOWN = "/.well-known/openid-configuration"


def metadata(
    issuer: str,
    policy: Policy,
    grant_types: Iterable[str],
    scopes: Iterable[str],
    openid: OpenID | None = None,
    algorithms: tuple[str, ...] = (),
    endpoints: Iterable[Endpoint] = (),
    resources: Resources | None = None,
    *,
    client_id_metadata: bool = False,
    grant_profiles: Sequence[str] = (),
    id_jag: bool = False,
    ciba: Ciba | None = None,
    pushed_requests: PushedRequests | None = None,
    request_objects: RequestObjects = NO_DEMANDS,
    mutual_tls: MutualTls | None = None,
    client_methods: Iterable[str] = (),
    dpop: Dpop | None = None,
    authorization_details: AuthorizationDetails | None = None,
) -> Response:
    """Return the document; it never changes while the server runs, so it is made once.

    `endpoints` are listed by the members that they name. `algorithms` are those that there are keys for.
    """
    root = issuer.rstrip("/")
    members: dict[str, object] = {
        # RFC 8414 section 3.3: clients compare it byte for byte with the issuer that they used.
        "issuer": issuer,
        **{endpoint.metadata: root + endpoint.path for endpoint in endpoints if endpoint.metadata is not None},
        **response_members(policy, algorithms),
        **grant_members(policy, grant_types, grant_profiles),
        **authentication_members(mutual_tls, policy, client_methods),
        **scope_members(openid, scopes, resources),
        **request_object_members(openid),
    }
    if algorithms:
        members["introspection_signing_alg_values_supported"] = list(algorithms)
    if client_id_metadata:  # section 5 of the draft
        members["client_id_metadata_document_supported"] = True
    if id_jag:  # draft-ietf-oauth-identity-assertion-authz-grant section 7
        members["identity_chaining_requested_token_types_supported"] = [TOKEN_TYPE + "id-jag"]
    if request_objects.required:  # RFC 9101 section 10.5
        members["require_signed_request_object"] = True
    if pushed_requests is not None:  # RFC 9126 section 5
        members["require_pushed_authorization_requests"] = pushed_requests.required
    if dpop is not None:  # RFC 9449 section 5.1
        members["dpop_signing_alg_values_supported"] = list(dpop.algorithms)
    if mutual_tls is not None:  # RFC 8705 section 3.3
        members["tls_client_certificate_bound_access_tokens"] = True
    if mutual_tls is not None and mutual_tls.endpoint_aliases is not None:
        # RFC 8705 section 5: each is what the member of the same name is, for clients with certificates.
        own = {name: value for name, value in members.items() if name in CALLED_WITH_CERTIFICATES}
        members["mtls_endpoint_aliases"] = {
            name: mutual_tls.endpoint_aliases + urlsplit(str(url)).path for name, url in own.items()
        }
    if authorization_details is not None:  # RFC 9396 section 10
        members["authorization_details_types_supported"] = list(authorization_details.types)
    if ciba is not None:
        members |= ciba_members()
    if openid is not None:
        members |= openid_members(openid, algorithms)
    headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"))
    return Response(200, headers, json.dumps(members).encode("ascii"))


def response_members(policy: Policy, algorithms: Sequence[str]) -> dict[str, object]:
    """Return the members about authorization responses; `algorithms` are those that they can be signed with."""
    types = sorted(policy.response_types)
    modes: list[str] = list(dict.fromkeys(mode for name in types for mode in RESPONSE_TYPES[name].modes))
    signed: dict[str, object] = {}
    if algorithms:  # JARM section 4
        modes += ["jwt", *(f"{mode}.jwt" for mode in modes)]
        signed = {
            "authorization_signing_alg_values_supported": list(algorithms),
            "authorization_encryption_alg_values_supported": list(ENCRYPTIONS),
            "authorization_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        }
    plain = ["plain"] if Allowance.PLAIN_PKCE in policy.allow else []
    return {
        "response_types_supported": types,
        "response_modes_supported": modes,
        **signed,
        # RFC 8414 section 2: if it is omitted, clients conclude that PKCE is not supported.
        "code_challenge_methods_supported": ["S256", *plain],
        # RFC 9207 section 3: tells a client to refuse a response without `iss`, as in a mix-up attack.
        "authorization_response_iss_parameter_supported": True,
    }


def grant_members(policy: Policy, grant_types: Iterable[str], profiles: Sequence[str]) -> dict[str, object]:
    """Return the members about grant types."""
    # `implicit` is how RFC 8414 section 2 names a server that answers with tokens; it has no token request.
    fronted = any({"token", "id_token"} & set(name.split(" ")) for name in policy.response_types)
    members: dict[str, object] = {"grant_types_supported": sorted(grant_types) + (["implicit"] if fronted else [])}
    if profiles:  # draft-ietf-oauth-identity-assertion-authz-grant section 7.2
        members["authorization_grant_profiles_supported"] = list(profiles)
    return members


def authentication_members(
    mutual_tls: MutualTls | None, policy: Policy, client_methods: Iterable[str]
) -> dict[str, object]:
    """Return the members about client authentication, at each endpoint that clients call."""
    by_certificate = frozenset(CERTIFICATE_METHODS).difference(() if mutual_tls is None else mutual_tls.methods)
    allowed = policy.client_assertions.algorithms if crypto.is_installed() else ()
    algorithms = {method: [a for a in of if a in allowed] for method, of in ASSERTION_ALGORITHMS.items()}
    methods: list[str] = [method for method in METHODS if algorithms.get(method) != [] and method not in by_certificate]
    methods += client_methods
    # RFC 8414 section 2: if these are omitted, clients conclude that there is only client_secret_basic.
    members: dict[str, object] = {
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        # RFC 7662 section 2.1: the caller has to be authorized, and a public client can't be authenticated.
        "introspection_endpoint_auth_methods_supported": [method for method in methods if method != "none"],
    }
    asserted = [alg for method in methods for alg in algorithms.get(method, ())]
    for endpoint in ("token", "revocation", "introspection") if asserted else ():
        members[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = asserted
    return members


def scope_members(openid: OpenID | None, scopes: Iterable[str], resources: Resources | None) -> dict[str, object]:
    """Return the members about scopes and resources, without those that would be empty."""
    members: dict[str, object] = {}
    of_openid = () if openid is None else openid.scopes
    of_resources = () if resources is None else resources.published_scopes
    if known := list(dict.fromkeys((*of_openid, *scopes, *of_resources))):
        members["scopes_supported"] = known
    if protected := () if resources is None else resources.published:
        members["protected_resources"] = list(protected)
    return members


def ciba_members() -> dict[str, object]:
    """Return what is said of backchannel authentication (CIBA Core section 4), beside its endpoint."""
    signing = {"backchannel_authentication_request_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS)}
    return {
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_user_code_parameter_supported": False,
        **(signing if crypto.is_installed() else {}),
    }


def request_object_members(openid: OpenID | None) -> dict[str, object]:
    """Return what is said of request objects (RFC 9101 section 10.5, OIDC Discovery section 3)."""
    by_value, by_reference = offered(openid)
    algorithms = {"request_object_signing_alg_values_supported": list(SIGNATURES)} if by_value or by_reference else {}
    return {
        "request_parameter_supported": by_value,
        # OIDC Discovery section 3: supported unless it is said that it is not.
        "request_uri_parameter_supported": by_reference,
        "require_request_uri_registration": by_reference,
        **algorithms,
    }


def well_known_paths(base: str, *, openid: bool = False) -> tuple[str, ...]:
    """Return where the document is, before the issuer's own path and after it.

    RFC 8414 section 3.1 wants the one, OIDC Discovery section 4 the other, and clients try what they like.
    """
    names = (WELL_KNOWN, OPENID_WELL_KNOWN) if openid else (WELL_KNOWN,)
    return tuple(dict.fromkeys(path for name in names for path in (name + base, base + name)))
