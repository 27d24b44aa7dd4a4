"""The public contract of storage, clause by clause, on every database and with every driver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)

import attrs
import pytest
from sqlalchemy import NullPool, create_engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from oauthcore.testing import Clause, NotOffered, StorageUnderTest, Terms, clauses
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of
from oauthcore_sqlalchemy.table import record
from tests.sql.conftest import BLOCKING, DRIVERS, PAIRS, Locate, empty_table, unsynced
from tests.storages.kinds import SOME_KINDS

pytestmark = pytest.mark.slow

# Eight contenders meet on a server soon enough. What records may hold is a matter of the codec, which all storages
# share; whether a driver brings every text back has a clause of its own.
TERMS = Terms(rounds=3, examples=3)

CUT = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT concat('KILL ', id) FROM information_schema.processlist"
    " WHERE db = database() AND id <> connection_id()",
}

Factory = Callable[[], AbstractContextManager[StorageUnderTest] | AbstractAsyncContextManager[StorageUnderTest]]


def cutting(database: str, url: str) -> Callable[[], None] | None:
    """Return what cuts every connection there is, where the database has any."""

    def sever() -> None:
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for (statement,) in connection.execute(text(CUT[database])).all():
                if database == "mariadb":
                    with suppress(OperationalError):  # it has gone by itself
                        connection.exec_driver_sql(statement)

    return sever if database in CUT else None


def factory(pair: str, locate: Locate) -> Factory:
    """Return what makes an empty storage of that pair."""
    database, _, driver = pair.partition("+")
    url, admin = locate(pair), locate(f"{database}+{DRIVERS[database][0]}")

    def contents() -> list[str]:
        engine = create_engine(admin, poolclass=NullPool)
        with engine.connect() as connection:
            return [repr(tuple(row)) for row in connection.execute(select(record))]

    def under_test(
        one: SqlAlchemyStorage | AsyncSqlAlchemyStorage, other: SqlAlchemyStorage | AsyncSqlAlchemyStorage
    ) -> StorageUnderTest:
        return StorageUnderTest(one, other, contents, cutting(database, admin))

    @contextmanager
    def blocking() -> Iterator[StorageUnderTest]:
        empty_table(admin)
        one, other = SqlAlchemyStorage(unsynced(engine_of(url))), SqlAlchemyStorage(create_engine(url))
        yield under_test(one, other)
        one.close()
        other.close()

    @asynccontextmanager
    async def awaited() -> AsyncIterator[StorageUnderTest]:
        empty_table(admin)
        one = AsyncSqlAlchemyStorage(unsynced(async_engine_of(url)))
        other = AsyncSqlAlchemyStorage(create_async_engine(url))
        yield under_test(one, other)
        await one.close()
        await other.close()

    return blocking if driver in BLOCKING else awaited


# asyncmy differs from aiomysql in how it reads and writes bytes; for that the other tests are enough.
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not pair.endswith("asyncmy")])
@pytest.mark.parametrize("clause", clauses, ids=str)
def test_the_storage_keeps(clause: Clause, pair: str, locate: Locate) -> None:
    terms = TERMS if pair.partition("+")[2] in BLOCKING else attrs.evolve(TERMS, kinds=SOME_KINDS)
    try:
        clause.check(factory(pair, locate), terms)
    except NotOffered:
        # A file has no connections to cut; everything else is offered.
        if not pair.startswith("sqlite"):
            raise
