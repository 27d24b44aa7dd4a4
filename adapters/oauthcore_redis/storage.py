"""The storages: they send commands over a connection, one blocking and one awaiting."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import redis.asyncio
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from oauthcore.clock import Clock
from oauthcore.errors import ConfigurationError
from oauthcore.flow.outcome import Change, R, S
from oauthcore.flow.storage import DurabilityWarning
from oauthcore_redis.address import LINGER, PREFIX, Address
from oauthcore_redis.commands import CommandFlow, Operations
from oauthcore_redis.connections import AsyncClient, Client, async_connection_of, connection_of
from oauthcore_redis.durability import check_durability
from oauthcore_redis.key_names import KeyNames
from oauthcore_redis.sentinels import watchers_of
from oauthcore_redis.sweeping import Sweep

T = TypeVar("T")


class RedisStorage:
    """Keep records in Redis or Valkey, for a blocking host; any number of hosts may share them.

    All names begin with `prefix`, one for each installation; an expired record stays for `linger` seconds and is then
    forgotten. The client may be decoding, pooled, in a cluster or behind Sentinel; commits pass its retries by, and are
    acknowledged once so many `replicas` have them.
    """

    def __init__(self, client: Client, *, prefix: str = PREFIX, linger: int = LINGER, replicas: int = 0) -> None:
        self.client = client
        self._operations = operations_of(prefix, linger, replicas, is_cluster=isinstance(client, RedisCluster))
        self._watchers: Sequence[redis.Redis] = ()
        self._connection = connection_of(client, self._operations.names.all)
        self._sweep = Sweep(self._operations)

    @classmethod
    def from_url(cls, url: str) -> RedisStorage:
        """Make one by a URL: `redis`, `rediss`, `valkey` or `valkeys`, with `+cluster` for a cluster's hosts.

        With `+sentinel` the hosts are sentinels, and the path names what they watch over. In its query are `prefix`,
        `linger`, `replicas` and options of redis-py, each by its type. Raises `ConfigurationError`.
        """
        address = Address.of(url)
        storage = cls(address.client(), prefix=address.prefix, linger=address.linger, replicas=address.replicas)
        storage._watchers = watchers_of(storage.client)
        return storage

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        return self._answer(self._operations.find(kind, key))

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        return self._answer(self._operations.find_of(kind, subject))

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed.

        Raises `RedisError`; if the connection broke on the way, it is unknown whether it was done.
        """
        return self._answer(self._operations.commit(changes))

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second and are still there; tell how many.

        Expired records go by themselves; this looks at some thousands of keys, the next ones at each call.
        """
        return self._answer(self._sweep.purge(expired_before, limit))

    def sweep(self, expired_before: int, limit: int, /) -> Iterator[int]:
        """Purge until all keys have been looked at, and give how many records each batch removed: for a command."""
        # A walk of its own, from the first key: that of `purge` may be anywhere, and would end before it had begun.
        walk, removed = Sweep(self._operations), limit
        while removed == limit or not walk.rounds:
            removed = self._answer(walk.purge(expired_before, limit))
            yield removed

    def every(self, kind: type[R]) -> Iterator[R]:
        """Return every record of a kind, ordered by key: for an operator's lists, not for a request."""
        yield from self._answer(self._sweep.every(kind))

    def durability_warnings(self, clock: Clock = time.time) -> Sequence[DurabilityWarning]:
        """Return what may lose what was acknowledged, in the server's configuration: to be asked for at the start."""
        return self._answer(check_durability(self._operations.linger, clock, self._operations.replicas))

    def close(self) -> None:
        """Let go of the server."""
        for client in (self.client, *self._watchers):
            client.close()

    def _answer(self, flow: CommandFlow[T]) -> T:
        """Send what is asked, until there is an answer."""
        resume, reply = flow.send, None
        while True:
            try:
                command = resume(reply)
            except StopIteration as answer:
                return answer.value  # type: ignore[no-any-return]  # StopIteration is not generic; Asking[T] says it is T
            try:
                resume, reply = flow.send, self._connection.send(command)
            except RedisError as error:
                resume, reply = flow.throw, error


class AsyncRedisStorage:
    """Keep records in Redis or Valkey, for an async host: a `RedisStorage` that is awaited."""

    def __init__(self, client: AsyncClient, *, prefix: str = PREFIX, linger: int = LINGER, replicas: int = 0) -> None:
        self.client = client
        self._operations = operations_of(prefix, linger, replicas, is_cluster=isinstance(client, AsyncRedisCluster))
        self._watchers: Sequence[redis.asyncio.Redis] = ()
        self._connection = async_connection_of(client, self._operations.names.all)
        self._sweep = Sweep(self._operations)

    @classmethod
    def from_url(cls, url: str) -> AsyncRedisStorage:
        """Make one by a URL, as `RedisStorage.from_url` does, on connections of its own, fifty at most to a server."""
        address = Address.of(url)
        storage = cls(address.async_client(), prefix=address.prefix, linger=address.linger, replicas=address.replicas)
        storage._watchers = watchers_of(storage.client)
        return storage

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        return await self._answer(self._operations.find(kind, key))

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        return await self._answer(self._operations.find_of(kind, subject))

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed.

        Raises `RedisError`; if the connection broke on the way, it is unknown whether it was done.
        """
        return await self._answer(self._operations.commit(changes))

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second and are still there; tell how many."""
        return await self._answer(self._sweep.purge(expired_before, limit))

    async def every(self, kind: type[R]) -> Sequence[R]:
        """Return every record of a kind, ordered by key: for an operator's lists, not for a request."""
        return await self._answer(self._sweep.every(kind))

    async def durability_warnings(self, clock: Clock = time.time) -> Sequence[DurabilityWarning]:
        """Return what may lose what was acknowledged, in the server's configuration: to be asked for at the start."""
        return await self._answer(check_durability(self._operations.linger, clock, self._operations.replicas))

    async def aclose(self) -> None:
        """Let go of the server."""
        for client in (self.client, *self._watchers):
            await client.aclose()

    async def _answer(self, flow: CommandFlow[T]) -> T:
        """Send what is asked, until there is an answer."""
        resume: Any = flow.send
        reply: Any = None
        while True:
            try:
                command = resume(reply)
            except StopIteration as answer:
                return answer.value  # type: ignore[no-any-return]  # StopIteration is not generic; Asking[T] says it is T
            try:
                resume, reply = flow.send, await self._connection.send(command)
            except RedisError as error:
                resume, reply = flow.throw, error


def operations_of(prefix: str, linger: int, replicas: int, *, is_cluster: bool) -> Operations:
    """Look the settings over; raises `ConfigurationError`."""
    if replicas and is_cluster:
        raise ConfigurationError("replicas", replicas, "leave it out: commits in a cluster don't wait for replicas")
    if not 1 <= linger <= 86_400:
        raise ConfigurationError("linger", linger, "use a number of seconds, from one to a day of them")
    return Operations(KeyNames(prefix), linger, replicas)
