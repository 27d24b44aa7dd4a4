"""Sentinels: servers that monitor the primary and its replicas, promote a replica, and name the current primary.

Every new connection asks them, one after the other until one answers. A primary that is replaced closes all connections
(Redis, Sentinel: CLIENT KILL), so that no connection to it is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import redis.asyncio.sentinel
import redis.sentinel

RecordKey: TypeAlias = tuple[str, int]

# For how many seconds one of them may be silent; there are others.
PATIENCE = 1.0
_THEIRS = "sentinel_"


class WaitingPool(redis.asyncio.sentinel.SentinelConnectionPool, redis.asyncio.BlockingConnectionPool):
    """Connect to who is the primary now, and have a request wait where all connections are taken."""


def client(sentinels: Sequence[RecordKey], service: str, settings: Mapping[str, Any]) -> redis.Redis:
    """Make a client of who is the primary of a service."""
    its, theirs = shared_out(settings)
    manager = redis.sentinel.Sentinel(sentinels, sentinel_kwargs=theirs, **its)
    made: redis.Redis = manager.master_for(service)
    return made


def async_client(sentinels: Sequence[RecordKey], service: str, settings: Mapping[str, Any]) -> redis.asyncio.Redis:
    """Make an async client of who is the primary of a service."""
    its, theirs = shared_out(settings)
    manager = redis.asyncio.sentinel.Sentinel(sentinels, sentinel_kwargs=theirs, **its)
    made: redis.asyncio.Redis = manager.master_for(service, connection_pool_class=WaitingPool)
    return made


def shared_out(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings for the primary, and those for the sentinels, which have users and passwords of their own."""
    its = {name: value for name, value in settings.items() if not name.startswith(_THEIRS)}
    theirs = {name: value for name, value in its.items() if name.startswith(("ssl", "protocol", "retry"))}
    theirs |= {name.removeprefix(_THEIRS): value for name, value in settings.items() if name.startswith(_THEIRS)}
    return its, {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, **theirs}


def watchers_of(client: Any) -> Sequence[Any]:
    """Return the clients of the sentinels that name a client's primary, which are to be closed with it."""
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    return () if manager is None else tuple(manager.sentinels)
