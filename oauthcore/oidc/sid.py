"""The sid: the identifier of a login session for a client, a different one for each client.

(OIDC Front-Channel Logout section 3, Back-Channel Logout section 2.1: it only has to be unique for the issuer.) If all
clients had the same, they could find out that they have the same user, even with pairwise subjects; and the key of the
record would leave the server.
"""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.records.client import Client


def sid_for(client: Client, session: str, context: Context) -> str:
    """Return the `sid` of a login session, named by its key, for a client."""
    return context.derive("sid", Secret(f"{len(client.client_id)} {client.client_id} {session}")).reveal()
