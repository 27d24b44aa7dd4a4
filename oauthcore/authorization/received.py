"""An authorization request as it comes: parameters, read into the value that is checked and kept."""

from __future__ import annotations

from typing import Any

from oauthcore.errors import UnnamedClient
from oauthcore.records.interaction import REQUEST_PARAMETERS, AuthorizationRequest
from oauthcore.wire.parameters import Parameters


def read_request(parameters: Parameters, caller: str | None = None) -> AuthorizationRequest:
    """Read the parameters of an authorization request; raises `InvalidRequest` if not even a client is named.

    `caller` is the client that has authenticated, if it sends the request itself.
    """
    named: dict[str, Any] = parameters.among(REQUEST_PARAMETERS)
    if caller is not None:
        # RFC 9126 section 2.1 has `client_id` in the form, too. Who names itself in the Authorization header alone has
        # said who it is.
        named["client_id"] = caller
    elif "client_id" not in parameters:
        raise UnnamedClient.with_description("client_id is missing")
    if "resource" in named:
        named["resource"] = parameters.all("resource")  # the one that may be repeated (RFC 8707 section 2.1)
    return AuthorizationRequest(**named)
