"""The first use of a client that has registered itself: from then on it is kept."""

from __future__ import annotations

import attrs

from oauthcore.flow.outcome import Change, Replace, Require
from oauthcore.records.client import Client
from oauthcore.records.listed_client import ListedClient
from oauthcore.records.registration_limits import RegistrationSlot


def first_use(client: Client) -> tuple[Change, ...]:
    """Require the client to be unchanged, and keep it permanently from its first use on.

    Its entry in the list and its slot need not be found, since they were written with the client and expire with it. So
    the token request makes no more finds than for any other client.
    """
    dynamic = client.dynamic
    if dynamic is None or not dynamic.is_unused:
        return (Require(client),)
    kept = attrs.evolve(client, dynamic=attrs.evolve(dynamic, is_unused=False), expires_at=None)
    if client.expires_at is None:
        return (Replace(client, kept),)
    entry = ListedClient(client_id=client.client_id, registered_at=dynamic.registered_at, expires_at=client.expires_at)
    changes: tuple[Change, ...] = (Replace(client, kept), Replace(entry, attrs.evolve(entry, expires_at=None)))
    if dynamic.slot is None:
        return changes
    slot = RegistrationSlot(key=str(dynamic.slot), client_id=client.client_id, expires_at=client.expires_at)
    return (*changes, Replace(slot, attrs.evolve(slot, expires_at=None)))
