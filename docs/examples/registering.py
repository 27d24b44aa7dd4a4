"""Clients that register themselves with an initial access token, and are reviewed by the host."""

import secrets
import time

import attrs

from oauthcore import AuthorizationServer, Client, MemoryStorage, Registration, World, run
from oauthcore.errors import AccessDenied


def review(client: Client) -> Client:
    if client.name and "bank" in client.name.lower():
        raise AccessDenied("a name that people would take for their bank's")
    return attrs.evolve(client, access_token_lifetime=60)


server = AuthorizationServer(
    issuer="https://as.example",
    clock=time.time,
    entropy=secrets.token_bytes,
    token_key=secrets.token_bytes(32),  # keep yours
    scopes=["email", "profile"],
    registration=Registration(review=review),
)
world = World(MemoryStorage())
token = run(server.clients.issue_initial_access_token(lifetime=3_600, uses=10, note="the partners' portal"), world)
print(token.reveal())  # only its digest is stored, so it can't be shown again
