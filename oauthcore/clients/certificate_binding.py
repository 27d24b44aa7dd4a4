"""What a registration has to do with tokens that are bound to a certificate (RFC 8705 section 3.4)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.errors import ConfigurationError
from oauthcore.records.client import Client


def may_be_certificate_bound(requested: Client, context: Context) -> bool:
    """Return whether a client that says of itself that it always shows a certificate is held to that.

    Where the server looks at none it is not: the response to its registration says so (RFC 7591 section 3.2.1).
    """
    return requested.tls_client_certificate_bound_access_tokens and context.mutual_tls is not None


def check_certificate_binding(client: Client, context: Context) -> None:
    """Raise `ConfigurationError` for a client whose tokens have to be bound, where they can't be."""
    if not client.tls_client_certificate_bound_access_tokens:
        return
    if context.mutual_tls is None:
        remedy = "leave it out, or look at certificates: mutual_tls=MutualTls()"
        raise ConfigurationError("tls_client_certificate_bound_access_tokens", True, remedy)
    # What is issued to a browser goes to a client whose certificate is not there to be seen.
    for response_type in client.response_types:
        if "token" in response_type.split(" "):
            remedy = "leave it out: a token that goes through the browser is bound to no certificate"
            raise ConfigurationError("response_types", response_type, remedy)
