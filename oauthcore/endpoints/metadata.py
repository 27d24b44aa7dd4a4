"""The metadata document (RFC 8414), derived from what is enabled and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable

from oauthcore.authorization.response_type import RESPONSE_TYPES
from oauthcore.clients.registration import METHODS
from oauthcore.context import Paths
from oauthcore.http import Response
from oauthcore.policy import Allowance, Policy

WELL_KNOWN = "/.well-known/oauth-authorization-server"


def metadata(issuer: str, paths: Paths, policy: Policy, grant_types: Iterable[str], scopes: Iterable[str]) -> Response:
    """Give the document; it never changes while the server runs, so it is made once."""
    root = issuer.rstrip("/")
    # `implicit` is how RFC 8414 section 2 names a server that answers with tokens; it has no token request.
    fronted = any({"token", "id_token"} & set(name.split(" ")) for name in policy.response_types)
    types = sorted(grant_types) + (["implicit"] if fronted else [])
    plain = ["plain"] if Allowance.PLAIN_PKCE in policy.allow else []
    authenticating = [method for method in METHODS if method != "none"]
    members: dict[str, object] = {
        "issuer": issuer,
        "authorization_endpoint": root + paths.authorization,
        "token_endpoint": root + paths.token,
        "introspection_endpoint": root + paths.introspection,
        "revocation_endpoint": root + paths.revocation,
        "response_types_supported": sorted(policy.response_types),
        "response_modes_supported": list(
            dict.fromkeys(m for t in sorted(policy.response_types) for m in RESPONSE_TYPES[t].modes)
        ),
        "grant_types_supported": types,
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_methods_supported": authenticating,
        "code_challenge_methods_supported": ["S256", *plain],
        "authorization_response_iss_parameter_supported": True,
    }
    if scopes := list(scopes):
        members["scopes_supported"] = scopes
    headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"))
    return Response(200, headers, json.dumps(members).encode("ascii"))


def well_known_paths(base: str) -> tuple[str, ...]:
    """Give where the document is: before the issuer's own path (RFC 8414 section 3.1), and for the lenient after it."""
    return (WELL_KNOWN + base,) if not base else (WELL_KNOWN + base, base + WELL_KNOWN)
