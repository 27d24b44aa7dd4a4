"""Client authentication: which client is calling, proven by the method it is registered for (RFC 6749 section 2.3)."""

from __future__ import annotations

import attrs

from oauthcore.clients.client_secret_basic import read_basic
from oauthcore.clients.client_secret_post import read_post
from oauthcore.clients.none import read_none
from oauthcore.clients.presented import Presented
from oauthcore.context import Context
from oauthcore.digest import same_digest
from oauthcore.effects import Flow, find
from oauthcore.errors import InvalidClient, InvalidRequest
from oauthcore.http import Request
from oauthcore.liveness import is_live_client
from oauthcore.parameters import Parameters
from oauthcore.records import Client


@attrs.frozen
class Authenticated:
    """Prove that a request came from this client; for a public one, that it said so and could not be asked for more."""

    client: Client


def authenticate_client(request: Request, parameters: Parameters, context: Context) -> Flow[Authenticated]:
    """Find out which client is calling; raises `InvalidClient` where that can't be proven."""
    presented = read_credentials(request, parameters)
    client = yield from find(Client, presented.client_ids[0])
    if client is None and len(presented.client_ids) > 1:
        client = yield from find(Client, presented.client_ids[1])
    return decide(presented, client, context)


def read_credentials(request: Request, parameters: Parameters) -> Presented:
    """Read what the request shows of its client; raises `InvalidRequest` for two methods at once."""
    basic = read_basic(request)
    post = read_post(parameters)
    if basic is None:
        return post or read_none(parameters)
    if post is not None:
        # RFC 6749 section 2.3: the client MUST NOT use more than one method in each request.
        raise InvalidRequest("two methods of client authentication in one request")
    client_id = parameters.get("client_id")
    if client_id is not None and client_id not in basic.client_ids:
        raise InvalidRequest("client_id in the form is not the one in the Authorization header")
    return basic


def decide(presented: Presented, client: Client | None, context: Context) -> Authenticated:
    """Judge what was presented against the registration."""
    if client is None:
        raise InvalidClient("the client is unknown")
    if not is_live_client(client, context.now):
        raise InvalidClient("the client is disabled")
    if presented.method != client.token_endpoint_auth_method:
        raise InvalidClient(f"{presented.method} is not the method the client is registered for")
    if not client.is_public and not _has_secret(presented, client, context):
        raise InvalidClient("the secret is wrong")
    return Authenticated(client)


def _has_secret(presented: Presented, client: Client, context: Context) -> bool:
    shown = [context.digest("client_secret", secret) for secret in presented.secrets]
    for secret in client.secrets:
        live = secret.expires_at is None or context.now < secret.expires_at
        for digest in shown:
            # Digests of 256 random bits: which of them matched is nothing that time could tell an attacker.
            if live and same_digest(secret.digest, digest):
                return True
    return False
