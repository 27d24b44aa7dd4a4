"""The client configuration endpoint: a client reads, changes and removes its own registration (RFC 7592).

It authenticates by its registration access token only, and there is one error for everything that may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.clients.client_metadata import metadata_of
from oauthcore.clients.client_secret_jwt import is_digest_of
from oauthcore.clients.developer_mode import explain
from oauthcore.clients.dynamic_registration import Registrar
from oauthcore.clients.management import decide_remove
from oauthcore.clients.negotiation import negotiate
from oauthcore.clients.registration import ClientFacts, Registered, find_client, listing, with_secret
from oauthcore.clients.software_statement import read_statement, stated_metadata
from oauthcore.context import Context
from oauthcore.digest import Secret, same_digest
from oauthcore.endpoints.registration import describe, read_body
from oauthcore.errors import AccessDenied, InvalidClientMetadata, InvalidToken, OAuthError
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Event, Outcome, Replace
from oauthcore.per_request import per_request
from oauthcore.records.client import Client, DynamicRegistration
from oauthcore.resource.bearer import read_bearer
from oauthcore.wire.http import NO_STORE, Request, Response, json_response
from oauthcore.wire.parameters import parse_form


@per_request
class OwnRegistration:
    """Prove that the caller is the client: by its token, or the previous one if it lost the response."""

    client: Client
    dynamic: DynamicRegistration
    facts: ClientFacts
    shown: Secret
    is_retry: bool


def client_configuration(request: Request, registrar: Registrar, context: Context) -> Flow[Outcome]:
    """Read, change or remove the client that shows its registration access token."""
    # This comes before the client is looked up, so that the response does not reveal whether there is one.
    members = read_body(request) if request.method == "PUT" else {}
    # RFC 7592 section 2: the URI is opaque to the client; here the identifier is in its query.
    client_id = parse_form(request.query).get("client_id")
    shown = read_bearer(request)
    # RFC 7592 section 2.1: without the token, 401 and nothing about the client.
    if client_id is None or shown is None:
        raise refused("no client or no registration access token is named")
    facts = yield from find_client(client_id)
    own = prove_own(shown, facts, context)
    try:
        match request.method:
            case "PUT":
                return decide_update(members, own, registrar, context)
            case "DELETE":
                return decide_delete(own)
            case _:
                # The secret itself is not kept, and RFC 7592 section 3 wants it only where it is still to be seen.
                current = successor_of(shown, context) if own.is_retry else shown
                return Decision(json_response(200, describe(Registered(own.client, None), current, context)))
    except OAuthError as error:
        raise explain(error, own.client, context) from None


def decide_delete(own: OwnRegistration) -> Outcome:
    """Remove the client (RFC 7592 section 2.3); its tokens end with the record (`oauthcore.records.liveness`)."""
    if own.is_retry:
        raise refused("the registration access token has been replaced")
    removed = decide_remove(own.client.client_id, own.facts)
    return Decision(Response(204, NO_STORE), removed.changes, removed.events)


def prove_own(shown: Secret, facts: ClientFacts, context: Context) -> OwnRegistration:
    """Check that the token is the client's; raises `InvalidToken`, also for an unknown client (RFC 7592 section 2).

    A client that the operator has disabled is refused: it could otherwise remove itself, and register again.
    """
    client = facts.client
    dynamic = None if client is None else client.dynamic
    known = None if dynamic is None else dynamic.access_token
    # Also compared if there is no client: the time of the response does not reveal who is registered.
    digest = context.digest("registration_access_token", shown)
    successor = context.digest("registration_access_token", successor_of(shown, context))
    is_current, is_former = same_digest(known or digest, digest), same_digest(known or digest, successor)
    # RFC 7592 section 2: a client that does not exist is a 401, not a 404, so that identifiers can't be probed.
    if client is None or dynamic is None or known is None:
        raise refused("the client is unknown, or was not registered by itself")
    # RFC 7592 section 2: the token is bound to the client. Digests are compared in constant time.
    if not (is_current or (is_former and may_retry(dynamic, context))):
        raise refused("the registration access token is another client's, unknown, or has been replaced")
    if client.expires_at is not None and context.now >= client.expires_at:
        raise refused("the client has been forgotten")
    if not client.enabled and not dynamic.awaits_approval:
        raise refused("the operator has disabled the client")
    return OwnRegistration(client, dynamic, facts, shown, is_retry=not is_current)


def successor_of(shown: Secret, context: Context) -> Secret:
    """Return the token that replaces another: derived, so that a client that lost the response gets the same one again.

    It can't be derived without the server's key, so the previous token does not reveal it.
    """
    return context.derive("registration_access_token", shown)


def may_retry(dynamic: DynamicRegistration, context: Context) -> bool:
    """Return whether the token before the current one may still be shown, to make the same change once more."""
    lifetime = context.policy.lifetimes.refresh_retry_lifetime
    return dynamic.rotated_at is not None and context.now < dynamic.rotated_at + lifetime


def decide_update(
    members: Mapping[str, object], own: OwnRegistration, registrar: Registrar, context: Context
) -> Outcome:
    """Replace all of the client's metadata, and its token (RFC 7592 section 2.2).

    Its tokens stay valid within the new registration, and settings that are the operator's alone are kept. The
    registration access token is replaced, so that a leaked one is valid only until the next change.
    """
    # Otherwise the client could take back what the operator has restricted.
    if own.dynamic.is_frozen:
        raise AccessDenied("the operator has changed the registration")
    check_identity(members, own.client, context)
    changed = negotiate(with_statement(members, own.dynamic, registrar, context), own.client, registrar, context)
    dynamic = dynamic_after(own, changed, registrar, context)
    changed = attrs.evolve(changed, dynamic=dynamic, enabled=changed.enabled and not dynamic.awaits_approval)
    registered = with_secret(changed, None, own.client, context)
    response = json_response(200, describe(registered, successor_of(own.shown, context), context))
    changes = (Replace(own.client, registered.client), *listing(registered.client, own.facts, context))
    if registered.client == own.client:  # the same once more, by a retry
        return Decision(response)
    return Decision(response, changes, (Event("client_updated", own.client.client_id),))


def check_identity(members: Mapping[str, object], client: Client, context: Context) -> None:
    """Check that a client changes itself, and chooses no secret (RFC 7592 section 2.2).

    What the answer has beside the metadata may come back with it, as honest clients send it; it is ignored.
    """
    if members.get("client_id") != client.client_id:
        raise InvalidClientMetadata.with_description("client_id has to be the one that is registered")
    secret = members.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str) and any(is_digest_of(kept, Secret(secret), context) for kept in client.secrets)
    ):
        raise InvalidClientMetadata.with_description("client_secret is not the one that was issued")


def with_statement(
    members: Mapping[str, object], dynamic: DynamicRegistration, registrar: Registrar, context: Context
) -> Mapping[str, object]:
    """Return the metadata with that of the software statement, which a client can't remove by leaving it out."""
    issuers = registrar.settings.software_statements
    text = members.get("software_statement") or dynamic.software_statement
    if text is None or (not issuers and dynamic.software_statement is None):
        return members
    stated = read_statement(text, issuers, context)
    if dynamic.software_statement is not None and stated.text != dynamic.software_statement:
        raise InvalidClientMetadata.with_description("another software statement takes another registration")
    return stated_metadata(members, stated)


def dynamic_after(own: OwnRegistration, changed: Client, registrar: Registrar, context: Context) -> DynamicRegistration:
    """Return the record of a registration after a change.

    It is unverified again: otherwise a client could be approved under one name and then take another.
    """
    dynamic = own.dynamic
    if not own.is_retry:
        digest = context.digest("registration_access_token", successor_of(own.shown, context))
        dynamic = attrs.evolve(dynamic, access_token=digest, rotated_at=context.now)
    if metadata_of(changed) == metadata_of(own.client):
        return dynamic
    if seen_of(changed) != seen_of(own.client):
        dynamic = attrs.evolve(dynamic, changed_at=context.now)
    return attrs.evolve(
        dynamic, is_approved=False, awaits_approval=dynamic.awaits_approval or registrar.settings.needs_approval
    )


def seen_of(client: Client) -> tuple[object, ...]:
    """Return what users see when they are asked for consent: the client's names, and where its responses go."""
    return client.name, client.localized, frozenset(client.redirect_uris)


def refused(reason: str) -> InvalidToken:
    """Return the one refusal that there is."""
    return InvalidToken(reason).with_header("WWW-Authenticate", "Bearer")
