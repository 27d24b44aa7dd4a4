"""Declared records: those in the configuration are found together with those in the storage, and are not stored.

So a client or a user that is removed from the file is gone at the next reload, and the file and the database can't
disagree. The storage keeps only the generations of declared clients (`declared_generations`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, cast

import attrs

from oauthcore import Client
from oauthcore.flow.outcome import Change, Insert, R, Replace, Require, S
from oauthcore.flow.storage import AsyncStorage
from oauthcore.records.record import Record
from oauthcore_h11.declared_generations import settle_generations

Generations: TypeAlias = Callable[[AsyncStorage, Iterable[str]], Awaitable[Mapping[str, str]]]


class DeclaredRecord(Exception):
    """Refuse to change a record that only the file can change."""


class WithDeclared:
    """A storage in which some records are declared, and all the others stored."""

    def __init__(
        self, storage: AsyncStorage, declared: Iterable[Record], generations: Generations = settle_generations
    ) -> None:
        self._storage = storage
        self._declared = {(type(record), record.key): record for record in declared}
        self._generations = generations
        self._settled = False

    async def settle(self) -> None:
        """Set each declared client's generation; raises what keeps the storage from telling it.

        It is called when a server starts or reloads. If the storage was not available then, a find of a declared client
        first has to ask, since a guess would make all that the client was given look like another's.
        """
        clients = [record for record in self._declared.values() if isinstance(record, Client)]
        generations = await self._generations(self._storage, [client.client_id for client in clients])
        for client in clients:
            generation = generations[client.client_id]
            self._declared[Client, client.client_id] = attrs.evolve(client, generation=generation)
        self._settled = True

    def is_declared(self, kind: type[Record], key: str) -> bool:
        """Return whether that record is declared."""
        return (kind, key) in self._declared

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        if kind is Client and not self._settled and (kind, key) in self._declared:
            await self.settle()
        declared = self._declared.get((kind, key))
        return await self._storage.find(kind, key) if declared is None else cast("R", declared)

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject: what is found so is never declared."""
        return await self._storage.find_of(kind, subject)

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once; preconditions on declared records are checked here.

        Raises `DeclaredRecord` for a change to one.
        """
        to_store: list[Change] = []
        for change in changes:
            record = change.old if isinstance(change, Replace) else change.record
            declared = self._declared.get((type(record), record.key))
            if declared is None:
                to_store.append(change)
            elif isinstance(change, Insert) or (isinstance(change, Require) and declared != record):
                return False
            elif not isinstance(change, Require):
                raise DeclaredRecord(f"{type(record).__name__} {record.key} is declared in the configuration")
        return await self._storage.commit(to_store)

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` stored records that expired before that second, and return how many."""
        return await self._storage.purge(expired_before, limit)
