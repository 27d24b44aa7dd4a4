"""The metadata of a protected resource (RFC 9728): its location and its content."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from oauthcore.errors import ConfigurationError
from oauthcore.resource.dpop import ResourceDpop
from oauthcore.scope import Scope
from oauthcore.wire.cors import CORS
from oauthcore.wire.http import Response

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_places(resource: str, *, at_root: bool) -> tuple[str, tuple[str, ...]]:
    """Return the URL of the metadata, and every path at which it is served.

    The well-known part is inserted before the resource's own path, without the slash of an empty path (RFC 9728 section
    3.1). Clients differ about a slash at the end of a path, so both paths are served. MCP clients that get no URL try
    the root last: `at_root` is for a resource that is the only one of its host.

    Raises `ConfigurationError` if the resource is not such a URL.
    """
    parts = urlsplit(resource)
    # RFC 9728 section 1.2: an https URL without a fragment; a query SHOULD NOT be there. http is for loopback.
    if parts.scheme not in {"https", "http"} or not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError("resource", resource, "use an https URL without query and fragment")
    own = WELL_KNOWN + ("" if parts.path == "/" else parts.path)
    paths = (own, own.rstrip("/"), *((WELL_KNOWN,) if at_root else ()))
    return f"{parts.scheme}://{parts.netloc}{own}", tuple(dict.fromkeys(paths))


def resource_metadata(
    resource: str, issuers: tuple[str, ...], scopes: Scope, name: str | None, dpop: ResourceDpop | None = None
) -> Response:
    """Return the document (RFC 9728 section 2); it never changes while the server runs, so it is made once."""
    # Section 3.3: clients compare `resource` with the URL that they used as strings, and `authorization_servers` with
    # the issuer in the server's metadata, so both are emitted as they were given.
    members: dict[str, object] = {"resource": resource, "bearer_methods_supported": ["header"]}
    if issuers:
        members["authorization_servers"] = list(issuers)
    if scopes:
        members["scopes_supported"] = list(scopes)
    if name is not None:
        members["resource_name"] = name
    if dpop is not None:
        members["dpop_signing_alg_values_supported"] = list(dpop.algorithms)
        members["dpop_bound_access_tokens_required"] = dpop.required
    headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"), *CORS)
    return Response(200, headers, json.dumps(members).encode("ascii"))
