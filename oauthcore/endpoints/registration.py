"""The client registration endpoint (RFC 7591); what a client does with its registration is `client_configuration`.

Who may register is the operator's to say: the holder of an initial access token, of a software statement, or anybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from oauthcore.clients.client_metadata import metadata_of
from oauthcore.clients.dynamic_registration import Registrar, Registration
from oauthcore.clients.negotiation import negotiate
from oauthcore.clients.registration import (
    GENERATION_LENGTH,
    ClientFacts,
    Registered,
    find_client,
    listing,
    with_secret,
)
from oauthcore.clients.registration_limits import Counted, Place, find_count, find_place
from oauthcore.clients.software_statement import Stated, read_statement, stated_metadata
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import AccessDenied, ContentTooLarge, InvalidClientMetadata, InvalidToken
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Insert, Outcome, Replace
from oauthcore.flow.transact import commit_with_retry
from oauthcore.jose.strict_json import parse_object
from oauthcore.per_request import per_request
from oauthcore.records.client import Client, DynamicRegistration
from oauthcore.records.initial_access_token import InitialAccessToken
from oauthcore.resource.bearer import read_bearer
from oauthcore.wire.http import Request, json_response
from oauthcore.wire.text import media_type

MAX_BODY = 64 * 1024


@attrs.frozen
class Admission:
    """Prove that the caller may register: `by` which token or statement, and the changes that use it up."""

    by: str
    spent: tuple[Change, ...] = ()
    counts: bool = True


def registration(request: Request, registrar: Registrar, context: Context) -> Flow[Outcome]:
    """Register a client."""
    members = read_body(request)
    stated = statement_in(members, registrar.settings, context)
    shown = read_bearer(request)
    token = None
    if shown is not None:
        token = yield from find(InitialAccessToken, context.digest("initial_access_token", shown))
    admission = admit(token, stated, registrar.settings, context)
    settings = registrar.settings
    counted = (yield from find_count(request, settings, context)) if admission.counts else Counted(None)
    if not settings.idempotent:
        # Before anything else costs something: what a sector names may have to be fetched.
        counted.check(settings, context.now)
    metadata = members if stated is None else stated_metadata(members, stated)
    client = negotiate(metadata, unregistered(admission, stated, settings, context), registrar, context)
    facts, access_token = ClientFacts(None, None), None
    if settings.idempotent and client.is_public:
        client = shared(client, context)
        facts = yield from find_client(client.client_id)
        if facts.client is not None and may_be_shared(facts.client, context):
            return decide_again(facts, client, context)
    else:
        access_token = context.mint()
    # Not before a client that is there already: who registers at each connection stores nothing by it.
    counted.check(settings, context.now)
    # The limit on all clients applies last, and only to a client that would really be added.
    place = yield from find_place(client.client_id, settings, context)
    changes = (*admission.spent, *counted.one_more(context.now))
    return decide(Newcomer(client, access_token, facts, place, changes), context)


def read_body(request: Request) -> dict[str, object]:
    """Return the members of the JSON that was sent (RFC 7591 section 3.1)."""
    # Before parsing: at an open endpoint anybody decides how long the body is.
    if len(request.body) > MAX_BODY:
        raise ContentTooLarge(f"the body has {len(request.body)} bytes")
    if media_type(request.header("content-type") or "") != "application/json":
        raise InvalidClientMetadata.with_description("the Content-Type must be application/json")
    try:
        return parse_object(request.body)
    except ValueError as error:
        raise InvalidClientMetadata.with_description("the body is not a JSON object", str(error)) from None


def statement_in(members: Mapping[str, object], settings: Registration, context: Context) -> Stated | None:
    """Return the software statement in the metadata, None if there is none.

    A server that trusts no statement issuer ignores it (RFC 7591 section 3.1.1).
    """
    # RFC 7591 section 2.3. What is in a trusted statement wins over the plain members beside it.
    text = members.get("software_statement")
    if text is None or not settings.software_statements:
        return None
    return read_statement(text, settings.software_statements, context)


def admit(
    token: InitialAccessToken | None, stated: Stated | None, settings: Registration, context: Context
) -> Admission:
    """Return by what right a client may register; raises `InvalidToken` if it may not (RFC 7591 section 3)."""
    # First the token: it is the strongest statement of the operator about who may register.
    if token is not None and context.now < token.expires_at:
        # A precondition of the registration: of two that show the last use of a token at once, one is refused.
        used = Delete(token) if token.uses <= 1 else Replace(token, attrs.evolve(token, uses=token.uses - 1))
        return Admission(token.note or "initial access token", (used,), counts=False)
    if stated is not None:
        return Admission(stated.issuer)
    if settings.access is not None:
        return Admission("")
    # RFC 7591 section 3: an initial access token is a bearer token, so the refusal is RFC 6750's.
    raise InvalidToken("the initial access token is missing, unknown or expired").with_header(
        "WWW-Authenticate", "Bearer"
    )


def unregistered(admission: Admission, stated: Stated | None, settings: Registration, context: Context) -> Client:
    """Return a client that has said nothing of itself so far: its identifier and generation can't be guessed."""
    forgettable = settings.unused_lifetime is not None
    return Client(
        # RFC 7591 section 3.2.1: unique; and random, so that no identifier of an earlier client comes back.
        # Without a hyphen at its beginning, since operators pass it to commands, which would read an option.
        client_id=context.mint().reveal().lstrip("-"),
        generation=context.mint().reveal()[:GENERATION_LENGTH],
        enabled=not settings.needs_approval,
        id_token_claims=settings.id_token_claims,
        dynamic=DynamicRegistration(
            registered_at=context.now,
            is_unused=forgettable,
            by=admission.by,
            software_statement=None if stated is None else stated.text,
            awaits_approval=settings.needs_approval,
        ),
        expires_at=context.now + (settings.unused_lifetime or 0) if forgettable else None,
    )


def shared(client: Client, context: Context) -> Client:
    """Return a public client with an identifier derived from its metadata and from who let it register."""
    assert client.dynamic is not None
    # The scope that it named is not part of its metadata; it is only the default of its requests.
    named = None if client.default_scope is None else client.default_scope.text
    said = json.dumps([client.dynamic.by, named, metadata_of(client)], sort_keys=True)
    return attrs.evolve(client, client_id=context.digest("shared_client", Secret(said)))


def may_be_shared(known: Client, context: Context) -> bool:
    """Return whether the response can be an existing client; raises `AccessDenied` if that is disabled.

    A client that was deleted is registered again, with another generation, and without its old tokens.
    """
    assert known.dynamic is not None, "no other client has the identifier of a shared one"
    if not known.enabled and not known.dynamic.awaits_approval:
        raise AccessDenied("the operator has disabled this client")
    return known.expires_at is None or context.now < known.expires_at


def decide_again(facts: ClientFacts, fresh: Client, context: Context) -> Outcome:
    """Return a client that is already registered, and prolong it as if it were registered now.

    That takes a commit only in the second half of its lifetime, so that a client that registers at each connection
    rarely causes a write.
    """
    known = facts.client
    assert known is not None
    response = json_response(201, describe(Registered(known, None), None, context))
    if known.expires_at is None or fresh.expires_at is None or not is_unused(known):
        return Decision(response)
    if 2 * (known.expires_at - context.now) > fresh.expires_at - context.now:
        return Decision(response)
    renewed = attrs.evolve(known, expires_at=fresh.expires_at)
    return Decision(response, (Replace(known, renewed), *listing(renewed, facts, context)))


def is_unused(client: Client) -> bool:
    """Return whether a client is to be forgotten unless it is used."""
    return client.dynamic is not None and client.dynamic.is_unused


def placed(client: Client, place: Place | None) -> Client:
    """Note a client's place, to be given up with it."""
    assert client.dynamic is not None
    return attrs.evolve(client, dynamic=attrs.evolve(client.dynamic, slot=None if place is None else place.number))


@per_request
class Newcomer:
    """Hold a client that is to be stored, with the facts about it, and the changes that use up its right to register.

    Without an `access_token` the client is shared and can't manage itself, since anybody with its metadata could.
    """

    client: Client
    access_token: Secret | None
    facts: ClientFacts
    place: Place | None
    changes: tuple[Change, ...]


def decide(newcomer: Newcomer, context: Context) -> Outcome:
    """Remember the client, in one commit with its entry in the list, its place, and what opened the door."""
    client, access_token, place = placed(newcomer.client, newcomer.place), newcomer.access_token, newcomer.place
    if access_token is not None:
        client = managed_by(client, access_token, context)
    registered = with_secret(client, None, None, context)
    known, client = newcomer.facts.client, registered.client
    # An expired client is replaced, with a new generation, so its old tokens stay invalid.
    stored = Insert(client) if known is None else Replace(known, client)
    # The place is free, whatever was in it.
    listed = listing(client, attrs.evolve(newcomer.facts, slot=None), context)
    taken = () if place is None else (place.taken_by(client),)
    response = json_response(201, describe(registered, access_token, context))
    changes = (*newcomer.changes, stored, *listed, *taken)
    return Decision(response, changes, (Event("client_registered", client.client_id),))


def managed_by(client: Client, access_token: Secret, context: Context) -> Client:
    """Return a client that manages itself by a token."""
    assert client.dynamic is not None
    digest = context.digest("registration_access_token", access_token)
    return attrs.evolve(client, dynamic=attrs.evolve(client.dynamic, access_token=digest))


def describe(registered: Registered, access_token: Secret | None, context: Context) -> dict[str, object]:
    """Return the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    client, secret, dynamic = registered.client, registered.secret, registered.client.dynamic
    assert dynamic is not None
    members: dict[str, object] = {"client_id": client.client_id, **metadata_of(client)}
    # RFC 7591 section 3.2.1: seconds since the epoch, OPTIONAL.
    members["client_id_issued_at"] = dynamic.registered_at
    if dynamic.software_statement is not None:
        # RFC 7591 section 3.2.1: unmodified.
        members["software_statement"] = dynamic.software_statement
    if secret is not None:
        # RFC 7591 section 3.2.1: client_secret_expires_at is REQUIRED if client_secret is issued; 0 for no expiry.
        members |= {"client_secret": secret.reveal(), "client_secret_expires_at": 0}
    # It is shared by everybody with the same metadata, so no one may change or delete it.
    if access_token is None:
        return members
    # RFC 7592 section 3: the full URI; the client must not construct it.
    uri = f"{context.issuer.rstrip('/')}{context.paths.registration}?client_id={client.client_id}"
    return {**members, "registration_client_uri": uri, "registration_access_token": access_token.reveal()}


def issue_initial_access_token(lifetime: int, uses: int, note: str | None, context: Context) -> Flow[Secret]:
    """Remember a token, by its digest alone."""
    secret = context.mint()
    key = context.digest("initial_access_token", secret)
    token = InitialAccessToken(key=key, uses=uses, expires_at=context.now + lifetime, note=note)

    def decision() -> Flow[Decision[Secret]]:
        return pure(Decision(secret, (Insert(token),)))

    return (yield from commit_with_retry(decision))


def revoke_initial_access_token(key: str) -> Flow[bool]:
    """Delete the token with this digest, so that it can't be used to register; return whether there was one."""

    def decision() -> Flow[Decision[bool]]:
        token = yield from find(InitialAccessToken, key)
        return Decision(token is not None, () if token is None else (Delete(token),))

    return (yield from commit_with_retry(decision))
