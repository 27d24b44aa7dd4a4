"""Client authentication: which client is calling, proven by the method it is registered for (RFC 6749 section 2.3)."""

from __future__ import annotations

from oauthcore.assertions.verified import VerifiedAssertion
from oauthcore.clients.assertion import read_assertion
from oauthcore.clients.client_secret_basic import read_basic
from oauthcore.clients.client_secret_jwt import is_digest_of, made_portable, prove_secret
from oauthcore.clients.client_secret_post import read_post
from oauthcore.clients.developer_mode import explain, explained
from oauthcore.clients.document_clients import current_client, refreshed_client
from oauthcore.clients.none import read_none
from oauthcore.clients.presented import Presented
from oauthcore.clients.private_key_jwt import prove_private_key
from oauthcore.clients.self_signed_tls_client_auth import prove_registered_key
from oauthcore.clients.tls_client_auth import prove_name
from oauthcore.context import Context, ProveClient
from oauthcore.digest import Secret
from oauthcore.errors import InvalidClient, InvalidRequest, OAuthError
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Delete, Insert, Outcome, Replace, Require
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_admitted, is_live_client
from oauthcore.records.token import SpentAssertion
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import Parameters

# What shows a client in the form: all methods of RFC 6749 section 2.3 and RFC 7521 section 4.2 but Basic.
_METHOD = "client.token_endpoint_auth_method"
IN_THE_FORM = frozenset({"client_secret", "client_assertion", "client_assertion_type"})

OF_A_CLIENT = IN_THE_FORM | {"client_id"}


@per_request
class Authenticated:
    """Prove that a request came from this client. (A public client can prove no more than its identifier.)

    `spent` are changes for `spend`, to be committed with the result of the request: they use up an assertion's `jti`
    (RFC 7523 section 3), or require that the credentials are unchanged. `assertion` is what identified the client if
    nothing else did.
    """

    client: Client
    spent: tuple[Change, ...] = ()
    assertion: VerifiedAssertion | None = None


def shows_client(request: Request, parameters: Parameters) -> bool:
    """Return whether a request shows anything of a client, be it only an identifier."""
    return not parameters.isdisjoint(OF_A_CLIENT) or request.header("authorization") is not None


def authenticate_client(
    request: Request, parameters: Parameters, context: Context, *, begins: bool = False
) -> Flow[Authenticated]:
    """Find out which client is calling; raises `InvalidClient` if that can't be proven.

    A request that `begins` an authorization may be the first of a client with a metadata document, which is then
    fetched as it is for the authorization endpoint.
    """
    # What the request claims, not yet believed: the next lines look up who that would be.
    presented = read_credentials(request, parameters)
    client = yield from find(Client, presented.client_ids[0])
    # RFC 6749 section 2.3.1 encodes the identifier in Basic as in a form, but many clients send it as it is. So the
    # other reading is looked up, too.
    if client is None and len(presented.client_ids) > 1:
        client = yield from find(Client, presented.client_ids[1])
    if begins and context.client_id_metadata is not None:
        client = current_client(presented.client_ids[0], client, context)
    elif client is not None and client.document is not None:
        client = refreshed_client(client, context)
    before = None
    if presented.assertion is not None:
        before = yield from find(SpentAssertion, presented.assertion.key(context))
    try:
        prove = added_method(presented, client, context) if context.client_methods else None
        if client is None or prove is None:
            return decide(presented, client, before, context)
    except OAuthError as error:
        raise explain(error, client, context) from error.__cause__
    return Authenticated(client, (yield from explained(prove(request, client, context), client, context)))


def spend(spent: tuple[Change, ...], outcome: Outcome) -> Outcome:
    """Use up what a request was proven with, in the same commit as its outcome: a second request finds it used.

    A commit has one change of a record. What a replacement or a deletion requires anyway is not required once more; and
    where a grant spends the same as the proof of its caller, that is spent once.
    """
    if not spent:
        return outcome
    everything = (*outcome.changes, *spent)
    changed = [c.old if isinstance(c, Replace) else c.record for c in everything if isinstance(c, Replace | Delete)]
    changes: list[Change] = []
    for change in everything:
        if change not in changes and not (isinstance(change, Require) and change.record in changed):
            changes.append(change)
    return Decision(outcome.value, tuple(changes), outcome.events)


def read_credentials(request: Request, parameters: Parameters) -> Presented:
    """Read what the request shows of its client; raises `InvalidRequest` for two methods at once."""
    presented = read_basic(request)
    if presented is None or not parameters.isdisjoint(IN_THE_FORM):
        presented = _read_form(request, parameters, presented)
    client_id = parameters.get("client_id")
    # A request that names two clients would be one client's to who authenticates it and another's to who logs it.
    if client_id is not None and client_id not in presented.client_ids:
        raise InvalidRequest.with_description("client_id in the form differs from the client that authenticates")
    return presented


def _read_form(request: Request, parameters: Parameters, basic: Presented | None) -> Presented:
    """Read what the form shows of the client, where it shows anything beside the header."""
    post = read_post(parameters)
    assertion = read_assertion(request, parameters)
    asserted = None if assertion is None else Presented(assertion.method, (assertion.client_id,), assertion=assertion)
    shown = [presented for presented in (basic, post, asserted) if presented is not None]
    if len(shown) > 1:
        # RFC 6749 section 2.3: the client MUST NOT use more than one method in each request.
        raise InvalidRequest.with_description("the request uses two methods of client authentication")
    return shown[0] if shown else read_none(request, parameters)


def decide(
    presented: Presented, client: Client | None, before: SpentAssertion | None, context: Context
) -> Authenticated:
    """Prove that it is the client that is registered, by a method it is registered for (RFC 6749 section 2.3).

    `before` is there if the assertion was used before.
    """
    client = usable(presented, client, context)
    # Only the registered method: a client that signs its assertions must not be impersonated by a leaked secret (RFC
    # 7591 section 2: token_endpoint_auth_method).
    if presented.method not in client.authentication_methods:
        prove_certificate(presented, client, context)
        return Authenticated(client)
    if presented.assertion is not None:
        prove = prove_secret if presented.method == "client_secret_jwt" else prove_private_key
        proven = prove(presented.assertion, client, context)
        # RFC 7523 section 3: a replayed jti is rejected. This comes after the signature, since otherwise anybody could
        # find out which jti were used.
        if before is not None:
            raise InvalidClient("the client's assertion was used before")
        # The insert fails if another request used the same assertion in the meantime.
        return Authenticated(client, (*rewritten(client, (), context), Insert(proven)))
    # RFC 6749 section 2.3.1. Every live secret is tried, so that secrets can be rotated without downtime.
    if not client.is_public and not _has_secret(presented, client, context):
        raise InvalidClient("the secret is wrong").by_setting("client.secrets")
    return Authenticated(client, rewritten(client, presented.secrets, context))


def usable(presented: Presented, client: Client | None, context: Context) -> Client:
    """Return the client if there is one that may be used; raises `InvalidClient`."""
    if client is None:
        raise nothing_proven(presented, "the client is unknown")
    if client.document is not None and not is_admitted(client, context.admits):
        raise nothing_proven(presented, "the client has a metadata document that is not taken here")
    # Disabled by the operator, or a registration that has expired.
    if not is_live_client(client, context.now, context.admits):
        raise InvalidClient("the client is disabled").by_setting("client.enabled")
    return client


def added_method(presented: Presented, client: Client | None, context: Context) -> ProveClient | None:
    """Return the host's own method by which a client proves itself that may be used, None for all others.

    It goes with the bare identifier. Raises `InvalidClient`.
    """
    method = None if client is None or presented.method != "none" else client.token_endpoint_auth_method
    prove = None if method is None else context.client_methods.get(method)
    if prove is not None:
        _ = usable(presented, client, context)
    return prove


def prove_certificate(presented: Presented, client: Client, context: Context) -> None:
    """Prove a client by the certificate of its connection, beside which it sends its identifier alone.

    Raises `InvalidClient` where it is registered for another method, too.
    """
    # RFC 8705 section 2: the method is the registration's. One that is no longer offered authenticates no client.
    method = client.token_endpoint_auth_method
    offered = () if context.mutual_tls is None else context.mutual_tls.methods
    if presented.method != "none" or method not in offered:
        raise other_method(presented, client, context)
    if method == "tls_client_auth":
        prove_name(presented, client, context)
    else:
        prove_registered_key(presented, client, context)


def rewritten(client: Client, shown: tuple[Secret, ...], context: Context) -> tuple[Change, ...]:
    """Return what puts the client's secrets into today's form, nothing where they are in it, as almost always."""
    for secret in client.secrets:
        if not secret.portable:
            break
    else:
        return ()
    portable = made_portable(client, shown, context)
    return () if portable is None else (Replace(client, portable),)


def nothing_proven(presented: Presented, reason: str) -> InvalidClient:
    """Refuse who is not known, or showed nothing that could be proven; both alike, so that none learns who is known."""
    if presented.method != "none":
        return InvalidClient(reason)
    return InvalidClient.with_description("the client is unknown, or sent no credentials", reason)


def other_method(presented: Presented, client: Client, context: Context) -> InvalidClient:
    """Refuse a client that authenticates by another method than it is registered for, and name the right method.

    Only a client that has shown the right secret gets this answer.
    """
    reason = f"{presented.method} is not the method the client is registered for"
    if not _has_secret(presented, client, context):
        return nothing_proven(presented, reason).by_setting(_METHOD)
    return InvalidClient.with_description(
        f"this client authenticates by {client.authentication_methods[0]}", reason
    ).by_setting(_METHOD)


def _has_secret(presented: Presented, client: Client, context: Context) -> bool:
    for kept in client.secrets:
        # The old secret after a rotation is good until its overlap ends, and not a second longer.
        if kept.expires_at is not None and context.now >= kept.expires_at:
            continue
        for secret in presented.secrets:
            if is_digest_of(kept, secret, context):
                return True
    return False
