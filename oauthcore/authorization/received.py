"""An authorization request as it comes: parameters, read into the value that is checked and kept."""

from __future__ import annotations

from typing import Any

from oauthcore.errors import UnnamedClient
from oauthcore.records.interaction import REQUEST_PARAMETERS, AuthorizationRequest
from oauthcore.wire.parameters import Parameters


def read_request(parameters: Parameters) -> AuthorizationRequest:
    """Read the parameters of an authorization request; raises `InvalidRequest` if not even a client is named."""
    if "client_id" not in parameters:
        raise UnnamedClient.with_description("client_id is missing")
    named: dict[str, Any] = parameters.among(REQUEST_PARAMETERS)
    if "resource" in named:
        named["resource"] = parameters.all("resource")  # the one that may be repeated (RFC 8707 section 2.1)
    return AuthorizationRequest(**named)
