"""Clients by their metadata documents: fetched when one is first used, and stored as `Client` records.

(draft-ietf-oauth-client-id-metadata-document-00.) They are stored like registered clients, so that each identifier
belongs to one client: for a registered client no document is fetched, and a document never replaces a registered
client. So they are found on every worker and after a restart. Only the endpoints that clients call fetch a document
again, and a decision is made on the stored client, with that record as its precondition.

A client that a stranger names is deleted within hours, unless a user gives it consent and it redeems its code.
"""

from __future__ import annotations

import attrs

from oauthcore.client_id_metadata import MetadataDocuments
from oauthcore.clients.document_lifetime import fresh_for
from oauthcore.clients.metadata_document import MAX_DOCUMENT, client_in, read_document
from oauthcore.clients.registration import GENERATION_LENGTH, ClientFacts, find_client, listing
from oauthcore.context import Context
from oauthcore.documents import DocumentNeeded, StoredDocumentNeeded, is_object
from oauthcore.errors import InvalidClientDocument, RefusedClientDocument, UnreachableClientDocument
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Replace
from oauthcore.flow.transact import commit_with_retry
from oauthcore.records.client import Client, MetadataDocument
from oauthcore.records.listed_client import ListedClient
from oauthcore.wire.http import Response

# RFC 5861 section 4: so long after it was fresh, a document counts where its host does not answer. New grants only:
# what was granted before does not hang on whether a site is up.
STALE_IF_ERROR = 600
# A fetch that failed is repeated after a minute.
RETRY_AFTER = 60
# So that the record of a client in use is not written at each code: once in a month is enough.
SPARE = 30 * 86_400


def current_client(client_id: str, found: Client | None, context: Context) -> Client | None:
    """Return the client of an authorization request, with a fresh document; None if there is no such client.

    `found` is what is stored. Raises `DocumentNeeded` if the document has to be fetched, `InvalidClientDocument` if it
    is missing or invalid, and `UnreachableClientDocument`.
    """
    documents = context.client_id_metadata
    if documents is None or (found is not None and (found.document is None or not found.enabled)):
        return found
    if not documents.settings.admits(client_id):
        return found
    known = remembered(found, context)
    if known is None:
        need(client_id, None, documents, context)
        raise UnreachableClientDocument("the client's document could not be had just now")
    document = known.document
    assert document is not None
    is_usable = document.withdrawn_at is None and context.now < document.fresh_until + STALE_IF_ERROR
    if is_due(known, context) and not (is_usable and documents.documents.is_being_fetched(client_id, context.now)):
        need(client_id, known, documents, context)
    if document.withdrawn_at is not None:
        raise InvalidClientDocument("the client's document is gone, or is none any more")
    if not is_usable:
        raise UnreachableClientDocument("the client's document can't be had, and is too old")
    return known


def refreshed_client(client: Client | None, context: Context) -> Client | None:
    """Return the client of any other request, as it was when it got its grant, whatever its host answers now.

    Raises `DocumentNeeded` if the document is stale and no other request is fetching it.
    """
    documents = context.client_id_metadata
    if client is None or client.document is None or documents is None:
        return client
    url = client.client_id
    is_checked = context.now >= client.document.check_at and client.enabled and documents.settings.admits(url)
    if is_checked and not documents.documents.is_being_fetched(url, context.now):
        need(url, client, documents, context)
    return client


def remembered(found: Client | None, context: Context) -> Client | None:
    """Return what is stored, if it has not expired: it may be there a while longer."""
    is_over = found is None or (found.expires_at is not None and context.now >= found.expires_at)
    return None if is_over else found


def is_due(client: Client, context: Context) -> bool:
    """Return whether a document is old enough to be fetched again."""
    assert client.document is not None
    return context.now >= client.document.check_at


def need(url: str, known: Client | None, documents: MetadataDocuments, context: Context) -> None:
    """Raise `DocumentNeeded`, unless a fetch has just failed."""
    settings = documents.settings
    try:
        _ = documents.documents.get(url, context.now, is_object, fresh_for=0)
    except DocumentNeeded as missing:
        raise StoredDocumentNeeded(
            missing,
            lambda answer: remember(url, answer, documents, context),
            is_known=known is not None,
            new_budget=None if settings.is_known_host(url) else settings.new_per_minute,
            max_size=MAX_DOCUMENT,
        ) from None


def remember(url: str, answer: Response | None, documents: MetadataDocuments, context: Context) -> Flow[bool]:
    """Remember what a document's host has answered, None for no answer; return whether it has the document.

    Raises `InvalidClientDocument`, which ends the request that has come with a client that is not known: what is no
    document is remembered nowhere.
    """
    generation = context.mint().reveal()[:GENERATION_LENGTH]

    def decision() -> Flow[Decision[bool]]:
        return decide(Fetched(url, answer, generation), (yield from find_client(url)), documents, context)

    return (yield from commit_with_retry(decision))


@attrs.frozen
class Fetched:
    """Hold what a host has answered, and the generation of the client if it is one that is not known."""

    url: str
    answer: Response | None
    generation: str


def decide(fetched: Fetched, facts: ClientFacts, documents: MetadataDocuments, context: Context) -> Decision[bool]:
    """Store the client, or the state of its document; a registered client is not changed."""
    stored = facts.client
    # Control of a host must not be enough to take over a registered client, or to revive a disabled one.
    if stored is not None and (stored.document is None or not stored.enabled):
        return Decision(False)
    known, answer, url = remembered(stored, context), fetched.answer, fetched.url
    # The host is down or busy (RFC 9110 sections 15.5.9 and 15.6, RFC 6585 section 4), which says nothing about the
    # document.
    if answer is None or answer.status >= 500 or answer.status in {408, 429}:
        _ = documents.documents.keep(url, None, context.now, is_object)
        return _undisturbed(known, context)
    try:
        read = client_in(read_document(url, answer), url, documents, context)
    except InvalidClientDocument as refusal:
        _ = documents.documents.keep(url, None, context.now, is_object)
        # Nothing is stored for a URL without a valid document, so strangers can't fill the storage by naming URLs.
        if known is None:
            raise
        return _withdrawn(known, context, is_refused=isinstance(refusal, RefusedClientDocument))
    seconds = fresh_for(answer, documents.settings.min_fresh, documents.settings.max_fresh)
    return _accepted(read, known, seconds, fetched, facts, documents, context)


def _undisturbed(known: Client | None, context: Context) -> Decision[bool]:
    """Ask again in a while: that a host does not answer says nothing of the client."""
    if known is None or known.document is None or context.now < known.document.check_at:
        return Decision(False)
    document = attrs.evolve(known.document, check_at=context.now + RETRY_AFTER)
    return Decision(False, (Replace(known, attrs.evolve(known, document=document)),))


def _withdrawn(known: Client, context: Context, *, is_refused: bool) -> Decision[bool]:
    """Store since when the host answers that there is no document, or an invalid one, or one that is refused here."""
    document = known.document
    assert document is not None
    # Another request has read it since this one asked: a slow answer is about what was there before.
    if document.fetched_at > context.now:
        return Decision(False)
    changed = attrs.evolve(
        document,
        check_at=context.now + RETRY_AFTER,
        withdrawn_at=context.now if document.withdrawn_at is None else document.withdrawn_at,
        is_refused=is_refused,
    )
    event = () if document.withdrawn_at is not None else (Event("client_document_withdrawn", known.client_id),)
    return Decision(False, (Replace(known, attrs.evolve(known, document=changed)),), event)


def _accepted(
    read: Client,
    known: Client | None,
    seconds: int,
    fetched: Fetched,
    facts: ClientFacts,
    documents: MetadataDocuments,
    context: Context,
) -> Decision[bool]:
    """Remember what the document says now; another request may have been faster."""
    before = None if known is None else known.document
    if known is not None and before is not None and before.fetched_at >= context.now and not is_due(known, context):
        return Decision(True)
    # Downgrade: a client that used to authenticate with a key and now claims to be public counts as a new client.
    # Otherwise an attacker who can write to its site could use its existing grants without the key.
    is_same = known is not None and (known.is_public or not read.is_public)
    is_unused = before is None or before.is_unused or not is_same
    fresh_until = context.now + (documents.settings.min_fresh if is_unused else seconds)
    document = MetadataDocument(
        registered_at=context.now if facts.entry is None else facts.entry.registered_at,
        fetched_at=context.now,
        fresh_until=fresh_until,
        check_at=fresh_until,
        is_unused=is_unused,
    )
    # Until then a person may take their time who has come while the document was fresh.
    forgotten_at = context.code_expires_at(read) + context.policy.lifetimes.interaction_lifetime
    client = attrs.evolve(
        read,
        document=document,
        # The operator's, not the document's: what the document says now is what its developer is working at.
        explain_until=read.explain_until if known is None else known.explain_until or read.explain_until,
        # Nor does a document say which users may use its client; what the operator has said once, a read doesn't undo.
        require=tuple(dict.fromkeys((*read.require, *(() if known is None else known.require)))),
        generation=known.generation if known is not None and is_same else fetched.generation,
        expires_at=forgotten_at + (fresh_until - context.now) if is_unused or known is None else known.expires_at,
    )
    # The precondition makes one of two concurrent fetches decide again, on what the other has stored.
    change: Change = Insert(client) if facts.client is None else Replace(facts.client, client)
    events: tuple[Event, ...] = ()
    if known is None or not is_same:
        events = (Event("client_document_read", client.client_id),)
    elif attrs.evolve(known, document=None, expires_at=None) != attrs.evolve(client, document=None, expires_at=None):
        events = (Event("client_document_changed", client.client_id),)
    return Decision(True, (change, *listing(client, facts, context)), events)


def kept_until(client: Client, context: Context) -> int:
    """Return the time until which a client must be stored, so that it can use what it may be issued now."""
    lifetimes = context.policy.lifetimes
    return context.now + max(client.grant_lifetime or lifetimes.grant_lifetime, lifetimes.consent_lifetime)


def kept_in_use(client: Client, document: MetadataDocument, context: Context) -> tuple[Change, ...]:
    """Return the changes that keep a client that is issued a token, for as long as its grant can last.

    Usually there are none. Its entry in the list need not be found: both records are written together.
    """
    lasting = kept_until(client, context)
    if not document.is_unused and (client.expires_at is None or client.expires_at >= lasting):
        return ()
    until = lasting + SPARE
    entry = ListedClient(client_id=client.client_id, registered_at=document.registered_at, expires_at=client.expires_at)
    used = attrs.evolve(client, document=attrs.evolve(document, is_unused=False), expires_at=until)
    return Replace(client, used), Replace(entry, attrs.evolve(entry, expires_at=until))
