"""Client authentication: which client is calling, proven by the method it is registered for (RFC 6749 section 2.3)."""

from __future__ import annotations

import attrs

from oauthcore.clients.assertion import read_assertion
from oauthcore.clients.client_secret_basic import read_basic
from oauthcore.clients.client_secret_jwt import is_digest_of, made_portable, prove_secret
from oauthcore.clients.client_secret_post import read_post
from oauthcore.clients.none import read_none
from oauthcore.clients.presented import Presented
from oauthcore.clients.private_key_jwt import prove_private_key
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidClient, InvalidRequest
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Insert, Outcome, Replace, Require
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_live_client
from oauthcore.records.token import SpentAssertion
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import Parameters


@per_request
class Authenticated:
    """Prove that a request came from this client; for a public one, that it said so and could not be asked for more.

    Two things are to be remembered with whatever comes of it, by `spend`: `spent` is the assertion that this was proven
    with, `rewritten` the client with its secrets in a form that depends on no issuer.
    """

    client: Client
    spent: SpentAssertion | None = None
    rewritten: Client | None = None


def authenticate_client(request: Request, parameters: Parameters, context: Context) -> Flow[Authenticated]:
    """Find out which client is calling; raises `InvalidClient` where that can't be proven."""
    presented = read_credentials(request, parameters)
    client = yield from find(Client, presented.client_ids[0])
    if client is None and len(presented.client_ids) > 1:
        client = yield from find(Client, presented.client_ids[1])
    spent = None
    if presented.assertion is not None:
        spent = yield from find(SpentAssertion, presented.assertion.key(context))
    return decide(presented, client, spent, context)


def spend(caller: Authenticated, outcome: Outcome) -> Outcome:
    """Have the caller's assertion used up by the same commit: who is second with it is refused on looking again."""
    changes = outcome.changes
    if caller.rewritten is not None:
        # A commit has one change of a record: that the client is still the same is required by its replacement, too.
        others = (change for change in changes if change != Require(caller.client))
        changes = (*others, Replace(caller.client, caller.rewritten))
    if caller.spent is not None:
        changes = (*changes, Insert(caller.spent))
    return outcome if changes is outcome.changes else attrs.evolve(outcome, changes=changes)


def read_credentials(request: Request, parameters: Parameters) -> Presented:
    """Read what the request shows of its client; raises `InvalidRequest` for two methods at once."""
    basic = read_basic(request)
    post = read_post(parameters)
    assertion = read_assertion(request, parameters)
    asserted = None if assertion is None else Presented(assertion.method, (assertion.client_id,), assertion=assertion)
    shown = [presented for presented in (basic, post, asserted) if presented is not None]
    if len(shown) > 1:
        # RFC 6749 section 2.3: the client MUST NOT use more than one method in each request.
        raise InvalidRequest.with_description("two methods of client authentication in one request")
    if not shown:
        return read_none(parameters)
    client_id = parameters.get("client_id")
    if client_id is not None and client_id not in shown[0].client_ids:
        raise InvalidRequest.with_description("client_id in the form is not the one that is to be proven")
    return shown[0]


def decide(
    presented: Presented, client: Client | None, spent: SpentAssertion | None, context: Context
) -> Authenticated:
    """Prove that it is the client that is registered, by a method it is registered for (RFC 6749 section 2.3).

    `spent` tells that the assertion was used before.
    """
    if client is None:
        raise nothing_proven(presented, "the client is unknown")
    if not is_live_client(client, context.now):
        raise InvalidClient("the client is disabled")
    if presented.method not in client.authentication_methods:
        raise other_method(presented, client, context)
    if presented.assertion is not None:
        prove = prove_secret if presented.method == "client_secret_jwt" else prove_private_key
        proven = prove(presented.assertion, client, context)
        if spent is not None:
            raise InvalidClient("the client's assertion was used before")
        return Authenticated(client, proven, rewritten(client, (), context))
    if not client.is_public and not _has_secret(presented, client, context):
        raise InvalidClient("the secret is wrong")
    return Authenticated(client, rewritten=rewritten(client, presented.secrets, context))


def rewritten(client: Client, shown: tuple[Secret, ...], context: Context) -> Client | None:
    """Return the client with its secrets in today's form, None where they are in it already, as almost always."""
    if all(secret.portable for secret in client.secrets):
        return None
    return made_portable(client, shown, context)


def nothing_proven(presented: Presented, reason: str) -> InvalidClient:
    """Refuse who is not known, or showed nothing that could be proven; both alike, so that none learns who is known."""
    if presented.method != "none":
        return InvalidClient(reason)
    return InvalidClient.with_description("the client is not known, or sent nothing to authenticate with", reason)


def other_method(presented: Presented, client: Client, context: Context) -> InvalidClient:
    """Refuse a client that authenticates by another method than it is registered for, and tell it by which it does.

    It is told who has shown the right secret and is the client, therefore, and nobody else.
    """
    reason = f"{presented.method} is not the method the client is registered for"
    if not _has_secret(presented, client, context):
        return nothing_proven(presented, reason)
    return InvalidClient.with_description(f"this client authenticates by {client.authentication_methods[0]}", reason)


def _has_secret(presented: Presented, client: Client, context: Context) -> bool:
    for kept in client.secrets:
        if kept.expires_at is not None and context.now >= kept.expires_at:
            continue
        if any(is_digest_of(kept, secret, context) for secret in presented.secrets):
            return True
    return False
