"""The generations of declared clients: a new one is drawn when an identifier appears in the file again.

Declared clients are not stored, and the program does not write their file. So the generations are in one record for all
of them, which all workers race for. A client that is not declared at a start or a reload is removed from it: a later
one with that identifier is another client, and tokens from before are invalid (see `liveness`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

import attrs

from oauthcore.flow.outcome import Insert, Replace
from oauthcore.flow.storage import AsyncStorage

_KEY = "clients"
# 96 bits, as the core draws them at a registration.
_BYTES = 12


@attrs.frozen(kw_only=True)
class DeclaredClients:
    """Remember the clients that are declared, and the generation of each, in the same order."""

    client_ids: tuple[str, ...]
    generations: tuple[str, ...]
    key: str = _KEY
    expires_at: int | None = None

    @property
    def by_client(self) -> dict[str, str]:
        """Return the generation of each."""
        return dict(zip(self.client_ids, self.generations, strict=True))


async def settle_generations(storage: AsyncStorage, client_ids: Iterable[str]) -> Mapping[str, str]:
    """Return the generation of each declared client, once it is remembered, and what is declared no more is not."""
    declared = sorted(client_ids)
    while True:
        known = await storage.find(DeclaredClients, _KEY)
        generations = drawn(known, declared)
        fresh = DeclaredClients(client_ids=tuple(generations), generations=tuple(generations.values()))
        if known == fresh or await storage.commit([Insert(fresh) if known is None else Replace(known, fresh)]):
            return generations


async def known_generations(storage: AsyncStorage, client_ids: Iterable[str]) -> Mapping[str, str]:
    """Return the generation of each declared client, as far as a server has remembered it: for who only looks."""
    known = await storage.find(DeclaredClients, _KEY)
    remembered = {} if known is None else known.by_client
    return {client_id: remembered.get(client_id, "") for client_id in client_ids}


def drawn(known: DeclaredClients | None, client_ids: Iterable[str]) -> dict[str, str]:
    """Return what each client is remembered with, and for a new one a fresh generation.

    A storage without any was used by an earlier version, in which no declared client had a generation; their grants
    stay valid only if they have none now. In a new storage the blank generation is as good as a drawn one, since
    clients that are declared later have another.
    """
    if known is None:
        return dict.fromkeys(client_ids, "")
    remembered = known.by_client
    return {
        client_id: remembered[client_id] if client_id in remembered else secrets.token_urlsafe(_BYTES)
        for client_id in client_ids
    }
