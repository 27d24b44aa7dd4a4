"""Client management: find, list, update, disable, enable and remove clients.

These are for the operator or the host; nothing here is an endpoint.

To remove a client, its tokens need not be found. A token is live only while the client exists that it was issued to,
with the same `generation` (`oauthcore.records.liveness`). So deleting the one record ends all of them, in one commit,
and a later client with that identifier inherits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from oauthcore.clients.client_metadata import metadata_of
from oauthcore.clients.document_clients import kept_until
from oauthcore.clients.registration import ClientFacts, Registered, find_client, listing
from oauthcore.context import Context
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Decision, Delete, Event, EventName, Replace
from oauthcore.flow.transact import commit_with_retry
from oauthcore.records.client import Client
from oauthcore.records.listed_client import LISTED, ListedClient

# What only registering, rotating a secret, explaining, and switching off and on may change.
_NOT_SETTINGS = frozenset({"client_id", "secrets", "generation", "enabled", "explain_until", "dynamic"})

# Checks a changed client, and returns the secrets that it keeps, or a new one if the old ones no longer fit.
Renew = Callable[[Client, Client], Registered]


def list_clients() -> Flow[tuple[Client, ...]]:
    """Find every client that is registered, by identifier."""
    listed = yield from find_of(ListedClient, LISTED)
    found = []
    for client_id in sorted(entry.client_id for entry in listed):
        found.append((yield from find(Client, client_id)))
    return tuple(client for client in found if client is not None)


def update_client(client_id: str, settings: Mapping[str, object], renew: Renew, context: Context) -> Flow[Registered]:
    """Change settings of a client; raises `ConfigurationError` for one that can't be, and for no such client."""
    for name in settings:
        if name in _NOT_SETTINGS or name not in attrs.fields_dict(Client):
            remedy = "name settings of the client; secrets are rotated, and clients disabled, enabled and explained"
            raise ConfigurationError(name, settings[name], remedy)

    def decision() -> Flow[Decision[Registered]]:
        facts = yield from find_client(client_id)
        known = known_client(facts, client_id)
        proposed = attrs.evolve(known, **settings)  # type: ignore[arg-type]  # the fields' own names
        changed = renew(frozen(proposed, settings), known)
        decided = decide_change(changed.client, facts, "client_updated", context)
        return Decision(changed, decided.changes, decided.events)

    return (yield from commit_with_retry(decision))


def frozen(client: Client, settings: Mapping[str, object]) -> Client:
    """Return a client that can't take back what the operator changes of it, nor is forgotten if they say how long."""
    dynamic = client.dynamic
    if dynamic is None:
        return client
    unused = dynamic.is_unused and "expires_at" not in settings
    # The scope that it named when it registered is only its default, within the scope that the operator sets.
    named = client.default_scope
    if named is not None and "default_scope" not in settings:
        named = named.within(client.scope)
    changed = attrs.evolve(dynamic, is_frozen=True, is_unused=unused)
    return attrs.evolve(client, dynamic=changed, default_scope=named)


def approve_client(client: str | Client, context: Context) -> Flow[Client]:
    """Vouch for what a client says of itself: it may be used, and is not forgotten.

    `client` is what was looked at, or its identifier alone for whatever it says now.
    """
    seen = None if isinstance(client, str) else client
    client_id = client if isinstance(client, str) else client.client_id

    def decision() -> Flow[Decision[Client]]:
        facts = yield from find_client(client_id)
        known = known_client(facts, client_id)
        # A client changes itself whenever it likes (RFC 7592 section 2.2), also between the look and the approval: it
        # would be looked at under one name and approved under another.
        if seen is not None and (seen.generation, metadata_of(seen)) != (known.generation, metadata_of(known)):
            raise ConfigurationError("client_id", client_id, "it has changed itself since; look at it again")
        if known.dynamic is None:
            raise ConfigurationError("client_id", client_id, "name a client that has registered itself")
        if known.expires_at is not None and context.now >= known.expires_at:
            raise ConfigurationError("client_id", client_id, "its registration was not used in time; register it again")
        dynamic = attrs.evolve(known.dynamic, is_approved=True, awaits_approval=False, is_unused=False)
        changed = attrs.evolve(
            known,
            dynamic=dynamic,
            enabled=known.enabled or known.dynamic.awaits_approval,
            expires_at=None if known.dynamic.is_unused else known.expires_at,
        )
        return decide_change(changed, facts, "client_approved", context)

    return (yield from commit_with_retry(decision))


def switch_client(client_id: str, context: Context, *, enabled: bool) -> Flow[Client]:
    """Disable or enable a client; that it is so already changes nothing."""
    name: EventName = "client_enabled" if enabled else "client_disabled"

    def decision() -> Flow[Decision[Client]]:
        facts = yield from find_client(client_id)
        changed = attrs.evolve(known_client(facts, client_id), enabled=enabled)
        if changed.document is not None:
            # A disabled client is stored permanently. Otherwise its document would be read again, and it would come
            # back enabled.
            changed = attrs.evolve(changed, expires_at=kept_until(changed, context) if enabled else None)
        return decide_change(changed, facts, name, context)

    return (yield from commit_with_retry(decision))


def explain_client(client_id: str, lifetime: int, context: Context) -> Flow[Client]:
    """Have a client's errors explained for so many seconds from now, or not any more for 0.

    Its registration stays its own: unlike other changes of the operator's, this one freezes nothing.
    """

    def decision() -> Flow[Decision[Client]]:
        facts = yield from find_client(client_id)
        until = context.now + lifetime if lifetime else None
        changed = attrs.evolve(known_client(facts, client_id), explain_until=until)
        return decide_change(changed, facts, "client_updated", context)

    return (yield from commit_with_retry(decision))


def forget_unused(client_id: str) -> Flow[bool]:
    """Remove a client that registered itself and was never used; return whether it was one."""

    def decision() -> Flow[Decision[bool]]:
        facts = yield from find_client(client_id)
        if facts.client is None or facts.client.dynamic is None or not facts.client.dynamic.is_unused:
            return Decision(False)
        decided = decide_remove(client_id, facts)
        return Decision(True, decided.changes, decided.events)

    return (yield from commit_with_retry(decision))


def remove_client(client_id: str) -> Flow[Client]:
    """Remove a client, and so everything that it was given; raises `ConfigurationError` for no such client."""

    def decision() -> Flow[Decision[Client]]:
        return decide_remove(client_id, (yield from find_client(client_id)))

    return (yield from commit_with_retry(decision))


def known_client(facts: ClientFacts, client_id: str) -> Client:
    """Return the client; raises `ConfigurationError` if there is none with that identifier."""
    if facts.client is None:
        raise ConfigurationError("client_id", client_id, "there is no such client; name one that is registered")
    return facts.client


def decide_change(changed: Client, facts: ClientFacts, name: EventName, context: Context) -> Decision[Client]:
    """Put the changed client in the place of the known one, unless nothing is changed."""
    known = known_client(facts, changed.client_id)
    listed = listing(changed, facts, context)
    if changed == known:
        return Decision(changed, listed)
    return Decision(changed, (Replace(known, changed), *listed), (Event(name, known.client_id),))


def decide_remove(client_id: str, facts: ClientFacts) -> Decision[Client]:
    """Remove it from the registered clients, from their list, and from its place."""
    known = known_client(facts, client_id)
    listed = tuple(Delete(record) for record in (facts.entry, facts.slot) if record is not None)
    return Decision(known, (Delete(known), *listed), (Event("client_removed", known.client_id),))
