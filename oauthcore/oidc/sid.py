"""The sid: the name by which a client knows a login session, another for each client.

(OIDC Front-Channel Logout section 3, Back-Channel Logout section 2.1: it need be unique for the issuer, no more.) One
for all of them would tell clients that put their tokens together who is the same person, whatever pairwise subjects
they are told; and the key of a record stays inside the server.
"""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.records.client import Client


def sid_for(client: Client, session: str, context: Context) -> str:
    """Return the `sid` of a login session, named by its key, for a client."""
    return context.derive("sid", Secret(f"{len(client.client_id)} {client.client_id} {session}")).reveal()
