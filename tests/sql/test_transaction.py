"""Within the application's own transaction, on its own connection: a commit is a part of it, and as final as it is."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from oauthcore.flow.outcome import Insert, Replace, Require
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage
from oauthcore_sqlalchemy.table import record
from tests.sql.awaited import Loop
from tests.sql.conftest import BLOCKING
from tests.sqlite.things import Other, Thing

pytestmark = pytest.mark.slow

A, A1 = Thing("a"), Thing("a", 1)


def left(url: str) -> int:
    """Count what is there, on a connection of its own."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(select(func.count()).select_from(record)).scalar_one()
    engine.dispose()
    return int(found)


def use(storage: SqlAlchemyStorage) -> None:
    """Commit, and fail to, in the middle of something else."""
    assert storage.find(Thing, "a") is None
    assert storage.commit((Insert(A), Insert(Other("o")))) is True
    assert storage.commit((Insert(Thing("b")), Insert(A))) is False
    assert storage.commit((Insert(Thing("c")), Require(A1))) is False
    assert storage.commit((Replace(A, A1),)) is True
    assert storage.find(Thing, "a") == A1
    assert storage.purge(1, 1) == 0
    storage.close()


@pytest.mark.parametrize("pair", ["postgresql+psycopg", "mariadb+pymysql", "sqlite+pysqlite"])
def test_a_commit_is_undone_with_the_transaction_around_it(url: str, pair: str) -> None:
    engine = create_engine(url)

    with engine.connect() as connection:
        use(SqlAlchemyStorage(connection))
        connection.rollback()
    assert left(url) == 0

    with engine.begin() as connection:
        use(SqlAlchemyStorage(connection))
    assert left(url) == 2
    engine.dispose()


@pytest.mark.parametrize("pair", ["postgresql+psycopg", "mariadb+pymysql", "sqlite+pysqlite"])
def test_a_commit_that_fails_leaves_no_savepoint_behind(url: str, pair: str) -> None:
    engine = create_engine(url)

    with engine.connect() as connection:
        storage = SqlAlchemyStorage(connection)
        assert storage.commit((Insert(A),)) is True
        assert storage.commit((Insert(Other("o")), Insert(A))) is False
        assert storage.commit((Require(A1),)) is False
        with pytest.raises(DBAPIError):
            connection.execute(text("RELEASE SAVEPOINT oauthcore"))
    engine.dispose()


@pytest.mark.parametrize(
    "pair", ["postgresql+psycopg_async", "postgresql+asyncpg", "mariadb+aiomysql", "sqlite+aiosqlite"]
)
def test_so_it_is_where_it_is_awaited(url: str, pair: str, loop: Loop) -> None:
    assert pair.partition("+")[2] not in BLOCKING

    async def go() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            storage = AsyncSqlAlchemyStorage(connection)
            assert await storage.commit((Insert(A),)) is True
            assert await storage.commit((Insert(Other("o")), Insert(A))) is False
            await connection.rollback()
            assert await storage.find(Thing, "a") is None
            await connection.rollback()
        async with engine.begin() as connection:
            storage = AsyncSqlAlchemyStorage(connection)
            assert await storage.commit((Insert(A),)) is True
            assert await storage.commit((Insert(Other("o")), Insert(A))) is False
            await storage.close()
        async with engine.connect() as connection:
            assert (await connection.execute(select(func.count()).select_from(record))).scalar_one() == 1
        await engine.dispose()

    loop.wait(go())
