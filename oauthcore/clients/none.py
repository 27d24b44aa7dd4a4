"""`none`: a public client says who it is and proves nothing (RFC 6749 section 3.2.1)."""

from __future__ import annotations

from oauthcore.clients.presented import Presented
from oauthcore.errors import InvalidClient
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import Parameters


def read_none(request: Request, parameters: Parameters) -> Presented:
    """Read the bare identifier; raises `InvalidClient` if even that is missing."""
    client_id = parameters.get("client_id")
    if client_id is None:
        raise InvalidClient.with_description("the request has neither a client_id nor an Authorization header")
    return Presented("none", (client_id,), peer=request.peer)
