"""`client_secret_post`: identifier and secret in the form (RFC 6749 section 2.3.1)."""

from __future__ import annotations

from oauthcore.clients.presented import Presented
from oauthcore.digest import Secret
from oauthcore.errors import InvalidClient
from oauthcore.wire.parameters import Parameters


def read_post(parameters: Parameters) -> Presented | None:
    """Return the secret in the form, None if it has none (RFC 6749 section 2.3.1)."""
    secret = parameters.get("client_secret")
    if secret is None:
        return None
    client_id = parameters.get("client_id")
    # RFC 6749 section 2.3.1: both parameters are REQUIRED.
    if client_id is None:
        raise InvalidClient.with_description("client_secret was sent without client_id")
    return Presented("client_secret_post", (client_id,), (Secret(secret),))
