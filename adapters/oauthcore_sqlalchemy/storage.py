"""The storages: the same operations, run by blocking calls or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from oauthcore.errors import ConfigurationError
from oauthcore.flow.outcome import Change, R, S
from oauthcore.flow.storage import DurabilityWarning
from oauthcore_sqlalchemy import retries
from oauthcore_sqlalchemy.dialects import DatabaseDialect
from oauthcore_sqlalchemy.exchange import Exchange, Operation, arun_exchange, run_exchange
from oauthcore_sqlalchemy.forking import watch
from oauthcore_sqlalchemy.mysql import MySql
from oauthcore_sqlalchemy.postgresql import PostgreSql
from oauthcore_sqlalchemy.retries import Terms
from oauthcore_sqlalchemy.sqlite import Sqlite

T = TypeVar("T")

DIALECTS: dict[str, type[DatabaseDialect]] = {
    "postgresql": PostgreSql,
    "mysql": MySql,
    "mariadb": MySql,
    "sqlite": Sqlite,
}


def dialect_of(dialect: Dialect) -> DatabaseDialect:
    """Return how to write to a database; raises `ConfigurationError` for an unsupported one."""
    if dialect.name not in DIALECTS:
        raise ConfigurationError("engine", dialect.name, f"use one of {', '.join(DIALECTS)}")
    return DIALECTS[dialect.name]()


def check_sort(bind: object, sorts: tuple[type, type], other: str) -> None:
    """Raise `ConfigurationError` for what is no engine or connection of the right colour: now, not at each request."""
    if not isinstance(bind, sorts):
        remedy = f"use {sorts[0].__name__} or {sorts[1].__name__}, or else {other}"
        raise ConfigurationError("engine", type(bind).__name__, remedy)


# Statements that each are a transaction of their own then need no beginning and no end, and what needs them says so by
# itself. For PostgreSQL's and SQLite's drivers that is a matter of a flag, for MySQL's a round trip; so there it is
# the engine's (see `engine_of`).
#
# It is asked of each connection once that is held: were it the engine's option, who is cancelled while it is being set
# would leave the connection to the garbage collector (SQLAlchemy 2.1, `Connection.__init__`).
_AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}
_BY_FLAG = {"postgresql", "sqlite"}


class SqlAlchemyStorage:
    """Keep records in a SQL database, for a blocking host.

    With an `Engine` each commit is a transaction of its own, and True means that the database has committed it. With a
    `Connection` everything happens within the transaction that the application has begun there: a commit is a part of
    it, undone by itself where a precondition fails, and as final as the transaction is.

    Records of one `partition` are never found in another: several issuers may share a database, each with its own.
    """

    def __init__(self, bind: Engine | Connection, /, *, partition: str = "") -> None:
        check_sort(bind, (Engine, Connection), "AsyncSqlAlchemyStorage")
        self._terms = Terms.of(dialect_of(bind.dialect), alone=isinstance(bind, Engine), partition=partition)
        self._bind = bind
        self._options = _AUTOCOMMIT if bind.dialect.name in _BY_FLAG else {}
        watch(bind.engine)

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        return self._run(retries.find(kind, key, self._terms))

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        return self._run(retries.find_of(kind, subject, self._terms))

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""
        return self._run(retries.commit(changes, self._terms))

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second, and return how many."""
        return self._run(retries.purge(expired_before, limit, self._terms))

    def every(self, kind: type[R]) -> Iterator[R]:
        """Return every record of a kind, ordered by key: for an operator's lists, not for a request."""
        after: str | None = ""
        while after is not None:
            records, after = self._run(retries.page(kind, after, self._terms))
            yield from records

    def expired(self, before: int) -> int:
        """Count the records that expired before that second: what a purge has to do."""
        return self._run(retries.expired(before, self._terms))

    def durability_warnings(self) -> Sequence[DurabilityWarning]:
        """Name the database's settings that may lose what was committed, for a host to say when it starts."""
        return self._run(retries.durability_warnings(self._terms))

    def close(self) -> None:
        """Close the engine's connections; the application's own connection is left as it is."""
        if isinstance(self._bind, Engine):
            self._bind.dispose()

    def _run(self, operation: Operation[T]) -> T:
        resume: Any = operation.send
        answer: Any = None
        while True:
            try:
                exchange = resume(answer)
            except StopIteration as result:
                return result.value  # type: ignore[no-any-return]  # StopIteration is not generic; the operation is
            except DBAPIError as error:
                retries.check_tables(error, self._bind.engine.url)
                raise
            try:
                resume, answer = operation.send, self._perform(exchange)
            except Exception as failure:  # the operation knows whether it may be tried again
                resume, answer = operation.throw, failure

    def _perform(self, exchange: Exchange[T]) -> T:
        if isinstance(self._bind, Connection):
            begin_in_sqlite(self._bind)
            return run_exchange(self._bind, exchange)
        with self._bind.connect() as connection:
            try:
                return run_exchange(connection.execution_options(**self._options), exchange)
            except DBAPIError as error:
                if retries.reads_only(error) and not connection.closed:
                    connection.invalidate()  # its address may lead elsewhere by now
                raise


class AsyncSqlAlchemyStorage:
    """Keep records in a SQL database, for an async host: with an `AsyncEngine`, or an `AsyncConnection`.

    A call that the database has not answered within `patience` seconds raises `TimeoutError`; None waits for as long as
    the driver does.
    """

    def __init__(
        self, bind: AsyncEngine | AsyncConnection, /, *, patience: float | None = None, partition: str = ""
    ) -> None:
        check_sort(bind, (AsyncEngine, AsyncConnection), "SqlAlchemyStorage")
        self._terms = Terms.of(dialect_of(bind.dialect), alone=isinstance(bind, AsyncEngine), partition=partition)
        self._patience = patience
        self._bind = bind
        self._options = _AUTOCOMMIT if bind.dialect.name in _BY_FLAG else {}
        watch(bind.sync_engine if isinstance(bind, AsyncEngine) else bind.engine.sync_engine)

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        return await self._run(retries.find(kind, key, self._terms))

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        return await self._run(retries.find_of(kind, subject, self._terms))

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""
        return await self._run(retries.commit(changes, self._terms))

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second, and return how many."""
        return await self._run(retries.purge(expired_before, limit, self._terms))

    async def every(self, kind: type[R]) -> AsyncIterator[R]:
        """Return every record of a kind, ordered by key: for an operator's lists, not for a request."""
        after: str | None = ""
        while after is not None:
            records, after = await self._run(retries.page(kind, after, self._terms))
            for record in records:
                yield record

    async def expired(self, before: int) -> int:
        """Count the records that expired before that second: what a purge has to do."""
        return await self._run(retries.expired(before, self._terms))

    async def durability_warnings(self) -> Sequence[DurabilityWarning]:
        """Name the database's settings that may lose what was committed, for a host to say when it starts."""
        return await self._run(retries.durability_warnings(self._terms))

    async def close(self) -> None:
        """Close the engine's connections; the application's own connection is left as it is."""
        if isinstance(self._bind, AsyncEngine):
            await self._bind.dispose()

    async def _run(self, operation: Operation[T]) -> T:
        resume: Any = operation.send
        answer: Any = None
        while True:
            try:
                exchange = resume(answer)
            except StopIteration as result:
                return result.value  # type: ignore[no-any-return]  # StopIteration is not generic; the operation is
            except DBAPIError as error:
                retries.check_tables(error, self._bind.engine.url)
                raise
            try:
                async with asyncio.timeout(self._patience):
                    resume, answer = operation.send, await self._perform(exchange)
            except Exception as failure:  # the operation knows whether it may be tried again
                resume, answer = operation.throw, failure

    async def _perform(self, exchange: Exchange[T]) -> T:
        if isinstance(self._bind, AsyncConnection):
            await self._bind.run_sync(begin_in_sqlite)
            return await arun_exchange(self._bind, exchange)
        async with self._bind.connect() as connection:
            try:
                return await arun_exchange(await connection.execution_options(**self._options), exchange)
            except DBAPIError as error:
                if retries.reads_only(error) and not connection.closed:
                    await connection.invalidate()
                raise


def begin_in_sqlite(connection: Connection, begin: str = "BEGIN") -> None:
    """Begin the transaction that the application has begun.

    Python's sqlite3 does it no sooner than at the first write; a savepoint before that would be the transaction itself,
    and its end the end of it.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            connection.exec_driver_sql(begin)
