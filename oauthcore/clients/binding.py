"""What a registration has to do with tokens that are bound to a key (RFC 9449 section 5.2)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.errors import ConfigurationError
from oauthcore.records.client import Client


def may_be_bound(requested: Client, context: Context) -> bool:
    """Return whether a client that says of itself that it always sends DPoP proofs is held to that.

    Where the server takes none it is not: the response to its registration says so (RFC 7591 section 3.2.1).
    """
    return requested.dpop_bound_access_tokens and context.dpop is not None


def check_binding(client: Client, context: Context) -> None:
    """Raise `ConfigurationError` for a client whose tokens have to be bound, where they can't be."""
    if not client.dpop_bound_access_tokens:
        return
    if context.dpop is None:
        remedy = "leave it out, or let clients prove that they have a key: dpop=Dpop()"
        raise ConfigurationError("dpop_bound_access_tokens", True, remedy)
    # RFC 9449 section 5: a proof comes with a token request. What is issued to a browser comes without one.
    for response_type in client.response_types:
        if "token" in response_type.split(" "):
            remedy = "leave it out: a token that goes through the browser is bound to no key"
            raise ConfigurationError("response_types", response_type, remedy)
