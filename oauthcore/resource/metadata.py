"""The metadata of a protected resource (RFC 9728): where it is found, and what it says."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from oauthcore.errors import ConfigurationError
from oauthcore.scope import Scope
from oauthcore.wire.cors import CORS
from oauthcore.wire.http import Response

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_places(resource: str, *, at_root: bool) -> tuple[str, tuple[str, ...]]:
    """Return the URL of the metadata, and every path at which it is answered.

    The well-known part stands before the resource's own path, of which a slash that follows the host is no part (RFC
    9728 section 3.1). Clients differ about a slash at the path's end, so that both do. Clients of MCP that are told no
    URL look at the root last: `at_root` is for a resource that is the only one of its host.

    Raises `ConfigurationError` for what is no such URL.
    """
    parts = urlsplit(resource)
    # RFC 9728 section 1.2: an https URL without a fragment; a query SHOULD NOT be there. http is for loopback.
    if parts.scheme not in {"https", "http"} or not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError("resource", resource, "use an https URL without query and fragment")
    own = WELL_KNOWN + ("" if parts.path == "/" else parts.path)
    paths = (own, own.rstrip("/"), *((WELL_KNOWN,) if at_root else ()))
    return f"{parts.scheme}://{parts.netloc}{own}", tuple(dict.fromkeys(paths))


def resource_metadata(resource: str, issuers: tuple[str, ...], scopes: Scope, name: str | None) -> Response:
    """Return the document (RFC 9728 section 2); it never changes while the server runs, so it is made once."""
    # Section 3.3: clients compare `resource` with what they asked for as strings, and `authorization_servers` with the
    # issuer in the server's own metadata, so that both stand there as they were given.
    members: dict[str, object] = {"resource": resource, "bearer_methods_supported": ["header"]}
    if issuers:
        members["authorization_servers"] = list(issuers)
    if scopes:
        members["scopes_supported"] = list(scopes)
    if name is not None:
        members["resource_name"] = name
    headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"), *CORS)
    return Response(200, headers, json.dumps(members).encode("ascii"))
