"""Connections to one server or to a cluster, blocking and async: each command is sent once.

The client's own retries are not used. It would send a commit again when the connection broke, though the first may have
been done: the second would then find the code redeemed. A find may be sent twice. So may what a replica has refused, on
another connection: after a failover the pool is full of connections to the old primary.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import redis.asyncio.cluster
import redis.cluster
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as TooSlow

from oauthcore_redis.commands import Command

Client: TypeAlias = redis.Redis | redis.cluster.RedisCluster
AsyncClient: TypeAlias = redis.asyncio.Redis | redis.asyncio.cluster.RedisCluster

# The exceptions after which a reply may be lost; it is then unknown whether the command was done.
LOST = (Disconnected, TooSlow)
# What is sent once more: which of it may be is said by `may_be_sent_again`.
FAILED = (*LOST, ResponseError)
# For how many milliseconds replicas are waited for: less than the client waits for a reply.
WAIT = 2_000
# redis-py's option for a reply's bytes as they are, whatever the client was told to make of them.
_RAW: dict[str, Any] = {"NEVER_DECODE": True}


class NotReplicated(RedisError):
    """Tell that a commit was made, and that too few replicas have said that they have it."""


class CommandConnection(Protocol):
    """Send commands, and block until each is answered."""

    def send(self, command: Command, /) -> Any:
        """Return the reply; raises `RedisError`."""


class AsyncCommandConnection(Protocol):
    """Send commands, and await each answer."""

    async def send(self, command: Command, /) -> Any:
        """Return the reply; raises `RedisError`."""


class ServerConnection:
    """Send to one server, over the client's pool of connections."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool

    def send(self, command: Command, /) -> Any:
        """Return the reply; a command is sent once more where that may be done."""
        try:
            return self._send(command)
        except FAILED as error:
            if not may_be_sent_again(command, error):
                raise
        return self._send(command)

    def _send(self, command: Command) -> Any:
        connection = self._pool.get_connection()
        try:
            connection.send_command(*command.words)
            # Where either is lost, the connection has been ended by then: no later reply can be taken for this one.
            reply = connection.read_response(disable_decoding=True)
            if command.replicas:  # of what this very connection has written
                connection.send_command(*waiting_for(command.replicas))
                check_replicated(connection.read_response(), command.replicas)
            return reply
        except ResponseError as error:
            if is_of_a_replica(error):
                connection.disconnect()  # its address may lead elsewhere by now
            raise
        finally:
            self._pool.release(connection)


class AsyncServerConnection:
    """Send to one server, over the client's pool of connections, awaiting the reply."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._pool = client.connection_pool

    async def send(self, command: Command, /) -> Any:
        """Return the reply; a command is sent once more where that may be done."""
        try:
            return await self._send(command)
        except FAILED as error:
            if not may_be_sent_again(command, error):
                raise
        return await self._send(command)

    async def _send(self, command: Command) -> Any:
        connection = await self._pool.get_connection()
        try:
            await connection.send_command(*command.words)
            reply = await connection.read_response(disable_decoding=True)
            if command.replicas:
                await connection.send_command(*waiting_for(command.replicas))
                check_replicated(await connection.read_response(), command.replicas)
            return reply
        except ResponseError as error:
            if is_of_a_replica(error):
                await connection.disconnect()
            raise
        finally:
            await self._pool.release(connection)


class ClusterConnection:
    """Send to the cluster's server that has the slot. Redirections are followed: what is redirected was not done."""

    def __init__(self, client: redis.cluster.RedisCluster, tag: bytes) -> None:
        self._client = client
        self._tag = tag

    def send(self, command: Command, /) -> Any:
        """Return the reply; a safe command is sent once more where it was lost, when the client has looked around."""
        try:
            return self._send(command)
        except LOST:
            if not command.is_safe:
                raise
        return self._send(command)

    def _send(self, command: Command) -> Any:
        # Where a node is named, redis-py sends once.
        node = self._client.get_node_from_key(self._tag)
        return self._client.execute_command(*spelled(command), target_nodes=node, **_RAW)


class AsyncClusterConnection:
    """Send to the cluster's server that has the hash slot, awaiting the reply."""

    def __init__(self, client: redis.asyncio.cluster.RedisCluster, tag: bytes) -> None:
        self._client = client
        self._tag = tag.decode()

    async def send(self, command: Command, /) -> Any:
        """Return the reply; a safe command is sent once more where it was lost, when the client has looked around."""
        try:
            return await self._send(command)
        except LOST:
            if not command.is_safe:
                raise
        return await self._send(command)

    async def _send(self, command: Command) -> Any:
        await self._client.initialize()  # for the first time, or again after a server was lost
        node = self._client.get_node_from_key(self._tag)
        return await self._client.execute_command(*spelled(command), target_nodes=node, **_RAW)


def may_be_sent_again(command: Command, error: RedisError) -> bool:
    """Return whether a command may be sent once more: it is safe and its reply was lost, or a replica did not do it."""
    return command.is_safe if isinstance(error, LOST) else is_of_a_replica(error)


def is_of_a_replica(error: RedisError) -> bool:
    """Return whether a server only reads; until version 7 it says so in the middle of what a script has to say."""
    return isinstance(error, ReadOnlyError) or "-READONLY " in str(error)


def waiting_for(replicas: int) -> tuple[str, int, int]:
    """Return the command that waits until so many replicas have all that the connection has written (Redis, WAIT)."""
    return "WAIT", replicas, WAIT


def check_replicated(count: Any, replicas: int) -> None:
    """Raise `NotReplicated` where fewer replicas have it."""
    if int(count) < replicas:
        raise NotReplicated(f"of {replicas} replicas {count} have the commit")


def spelled(command: Command) -> tuple[str | bytes, ...]:
    """Spell a command as redis-py's cluster wants it: it looks the name up, as text."""
    name, *rest = command.words
    return (name.decode(), *rest)


def connection_of(client: Client, tag: bytes) -> CommandConnection:
    """Return the connection of a client; `tag` is what names begin with, and tells the hash slot."""
    return (
        ClusterConnection(client, tag) if isinstance(client, redis.cluster.RedisCluster) else ServerConnection(client)
    )


def async_connection_of(client: AsyncClient, tag: bytes) -> AsyncCommandConnection:
    """Return the connection of an async client."""
    if isinstance(client, redis.asyncio.cluster.RedisCluster):
        return AsyncClusterConnection(client, tag)
    return AsyncServerConnection(client)
