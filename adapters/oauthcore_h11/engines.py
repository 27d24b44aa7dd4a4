"""Engines: the storage that a URL names, opened for a server or for a command.

There is one row for each scheme. The modules of an engine are imported only if it is used, so not all need to be
installed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import ModuleType
from typing import Protocol

import attrs

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Change, R, S
from oauthcore.flow.storage import AsyncStorage, Storage
from oauthcore_h11.configuration import Configuration
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage


class Listing(Storage, Protocol):
    """A storage whose records can be listed."""

    def every(self, kind: type[R], /) -> Iterator[R]:
        """Return every record of a kind, ordered by key."""


async def _no_warnings() -> Sequence[object]:
    return ()


@attrs.frozen
class Served:
    """Hold a storage that a server uses, until `close`.

    `durability_warnings` tells its operator what it may lose.
    """

    storage: AsyncStorage
    close: Callable[[], Awaitable[None]]
    durability_warnings: Callable[[], Awaitable[Sequence[object]]] = _no_warnings


@attrs.frozen
class Opened:
    """Hold a storage that a command uses, until `close`.

    `expired` counts the expired records if the engine can; `batches` purges all, and yields how many each batch
    removed.
    """

    storage: Listing
    close: Callable[[], None]
    expired: Callable[[int], int | None] = lambda before: None
    batches: Callable[[int, int], Iterator[int]] = attrs.field()

    @batches.default
    def _until_none_is_left(self) -> Callable[[int, int], Iterator[int]]:
        return lambda before, limit: iter(lambda: self.storage.purge(before, limit), 0)


class Schema(Protocol):
    """The tables of a database, which its operator brings up to date."""

    def upgrade(self) -> None:
        """Bring them up to date."""

    def current(self) -> str | None:
        """Return the revision they are at, or None if there are none."""

    def differences(self) -> Sequence[str]:
        """Return the differences from the expected schema."""


class Engine(Protocol):
    """A kind of storage."""

    def serve(self, configuration: Configuration, /) -> Served:
        """Open it for a server, within its event loop; raises `ConfigurationError`."""

    def open(self, configuration: Configuration, /) -> Opened:
        """Open it for a command; raises `ConfigurationError`."""

    def schema(self, configuration: Configuration, /) -> Schema | None:
        """Return its schema; None if there is nothing for an operator to do."""


class Sqlite:
    """A file."""

    def serve(self, configuration: Configuration, /) -> Served:
        """Open the file, whose commits are then awaited."""
        storage = self._storage(configuration)

        async def close() -> None:
            storage.close()

        return Served(AsyncSqliteStorage(storage), close)

    def open(self, configuration: Configuration, /) -> Opened:
        """Open the file."""
        storage = self._storage(configuration)
        return Opened(storage, storage.close, storage.expired)

    def schema(self, configuration: Configuration, /) -> None:
        """Return None: a file is brought up to date when it is opened."""

    def _storage(self, configuration: Configuration) -> SqliteStorage:
        return SqliteStorage(configuration.database, synchronous=configuration.synchronous)


class Redis:
    """Be Redis or Valkey, one server or a cluster; connections are made when they are needed."""

    def serve(self, configuration: Configuration, /) -> Served:
        """Open it for a server."""
        redis = self._adapter()
        url = configuration.storage.url.reveal()
        storage = redis.AsyncRedisStorage.from_url(url)

        async def durability_warnings() -> Sequence[object]:
            try:
                found: Sequence[object] = await storage.durability_warnings()
            except Exception as error:  # redis-py has two trees of them, in whose words there is no password
                remedy = f"it can't be used: {error}; start it, or correct the URL"
                raise ConfigurationError("storage", redis.shown(url), remedy) from None
            return found

        return Served(storage, storage.aclose, durability_warnings)

    def open(self, configuration: Configuration, /) -> Opened:
        """Open it for a command."""
        storage = self._adapter().RedisStorage.from_url(configuration.storage.url.reveal())
        return Opened(storage, storage.close, batches=storage.sweep)

    def schema(self, configuration: Configuration, /) -> None:
        """Return None: there are no tables."""

    def _adapter(self) -> ModuleType:
        try:
            import oauthcore_redis
        except ImportError:
            raise missing("redis") from None
        return oauthcore_redis


class Sql:
    """Be PostgreSQL, MySQL or MariaDB, whose schema is to be up to date before anything else."""

    def __init__(self, extra: str) -> None:
        self._extra = extra

    def serve(self, configuration: Configuration, /) -> Served:
        """Open it for a server."""
        sql = self._adapter()
        from sqlalchemy.exc import SQLAlchemyError

        url = configuration.storage.url.reveal()
        engine = sql.address.engine_for_server(url)
        patience = sql.address.PATIENCE
        storage = sql.AsyncSqlAlchemyStorage(engine, patience=patience)

        async def durability_warnings() -> Sequence[object]:
            try:
                async with asyncio.timeout(patience), engine.connect() as connection:
                    await connection.run_sync(sql.schema.check_revision, url)
                found: Sequence[object] = await storage.durability_warnings()
            except (SQLAlchemyError, OSError) as error:
                raise sql.address.unusable(url, error) from None
            return found

        return Served(storage, storage.close, durability_warnings)

    def open(self, configuration: Configuration, /) -> Opened:
        """Open it for a command."""
        sql = self._adapter()
        from sqlalchemy.exc import SQLAlchemyError

        url = configuration.storage.url.reveal()
        engine = sql.address.engine_for_command(url)
        try:
            with engine.connect() as connection:
                sql.schema.check_revision(connection, url)
        except SQLAlchemyError as error:
            raise sql.address.unusable(url, error) from None
        storage = sql.SqlAlchemyStorage(engine)
        return Opened(storage, storage.close, storage.expired)

    def schema(self, configuration: Configuration, /) -> Schema:
        """Return its schema."""
        schema: Schema = self._adapter().schema.Schema(configuration.storage.url.reveal())
        return schema

    def _adapter(self) -> ModuleType:
        try:
            import oauthcore_sqlalchemy.address
            import oauthcore_sqlalchemy.schema
        except ImportError:
            raise missing(self._extra) from None
        return oauthcore_sqlalchemy


# By scheme, and neither `+cluster` nor a driver is a part of it.
ENGINES: dict[str, Engine] = {
    "sqlite": Sqlite(),
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys"), Redis()),
    **dict.fromkeys(("postgresql", "postgres"), Sql("postgresql")),
    **dict.fromkeys(("mysql", "mariadb"), Sql("mysql")),
}


def engine_of(configuration: Configuration) -> Engine:
    """Return the engine that the configuration names; raises `ConfigurationError` for an unknown one."""
    scheme = configuration.storage.scheme
    if scheme not in ENGINES:
        raise ConfigurationError("storage", f"{scheme}:…", f"use a URL of one of {', '.join(ENGINES)}")
    return ENGINES[scheme]


def trouble(error: BaseException) -> str | None:
    """Say in one line what a storage complains of; None for an error that is no storage's.

    Neither the statement nor its values are in it. What no library of was imported has not failed.
    """
    for module, name in (("sqlalchemy.exc", "SQLAlchemyError"), ("redis.exceptions", "RedisError")):
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            said = str(getattr(error, "orig", None) or error).strip()
            return f"the storage failed: {said.splitlines()[0] if said else type(error).__name__}"
    return None


def missing(extra: str) -> ConfigurationError:
    """Say what to install."""
    return ConfigurationError("storage", f"{extra}:…", f'it needs more: pip install "oauthcore[{extra}]"')


class Awaited:
    """An async storage over one that blocks, for a command, which has nothing else to do meanwhile."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        return self._storage.find(kind, key)

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        return self._storage.find_of(kind, subject)

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""
        return self._storage.commit(changes)

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second, and return how many."""
        return self._storage.purge(expired_before, limit)
