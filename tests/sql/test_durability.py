"""What a database may lose of what it has committed is named: the setting, its value, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, engine_of
from oauthcore_sqlalchemy.durability import MYSQL_SETTINGS, POSTGRESQL_SETTINGS, SQLITE_SETTINGS, Watched
from tests.servers.mariadb import MariaDb
from tests.servers.plugin import DurablePostgreSql
from tests.servers.postgresql import PostgreSql

AS_IT_COMES_POSTGRESQL = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "default_transaction_read_only": "off",
    "in_hot_standby": "off",
}
AS_IT_COMES_MYSQL = {
    "innodb_flush_log_at_trx_commit": "1",
    "innodb_doublewrite": "ON",
    "log_bin": "ON",
    "sync_binlog": "1",
    "read_only": "OFF",
}


def named(watched: tuple[Watched, ...], settings: Mapping[str, str]) -> list[str]:
    """Return the settings that are named."""
    return [warning.setting for one in watched if (warning := one.warning(settings)) is not None]


@pytest.mark.parametrize(
    ("watched", "as_it_comes", "changed"),
    [
        (POSTGRESQL_SETTINGS, AS_IT_COMES_POSTGRESQL, {"fsync": "off"}),
        (POSTGRESQL_SETTINGS, AS_IT_COMES_POSTGRESQL, {"full_page_writes": "off"}),
        (POSTGRESQL_SETTINGS, AS_IT_COMES_POSTGRESQL, {"synchronous_commit": "off"}),
        (POSTGRESQL_SETTINGS, AS_IT_COMES_POSTGRESQL, {"default_transaction_read_only": "on"}),
        (POSTGRESQL_SETTINGS, AS_IT_COMES_POSTGRESQL, {"in_hot_standby": "on"}),
        (MYSQL_SETTINGS, AS_IT_COMES_MYSQL, {"innodb_flush_log_at_trx_commit": "2"}),
        (MYSQL_SETTINGS, AS_IT_COMES_MYSQL, {"innodb_doublewrite": "DETECT_ONLY"}),
        (MYSQL_SETTINGS, AS_IT_COMES_MYSQL, {"sync_binlog": "0"}),
        (MYSQL_SETTINGS, AS_IT_COMES_MYSQL, {"read_only": "ON"}),
        (SQLITE_SETTINGS, {"synchronous": "2"}, {"synchronous": "1"}),
    ],
)
def test_each_setting_that_may_lose_something_is_named(
    watched: tuple[Watched, ...], as_it_comes: Mapping[str, str], changed: Mapping[str, str]
) -> None:
    assert named(watched, as_it_comes) == []
    assert named(watched, {**as_it_comes, **changed}) == list(changed)
    assert named(watched, {}) == []


@pytest.mark.parametrize(
    ("watched", "settings"),
    [
        (POSTGRESQL_SETTINGS, {"synchronous_commit": "remote_apply"}),
        (MYSQL_SETTINGS, {"innodb_flush_log_at_trx_commit": "3"}),  # MariaDB's, which flushes as 1 does
        (MYSQL_SETTINGS, {"log_bin": "OFF", "sync_binlog": "0"}),
    ],
)
def test_what_loses_nothing_is_not_named(watched: tuple[Watched, ...], settings: Mapping[str, str]) -> None:
    assert named(watched, settings) == []


def test_a_durable_postgresql_gives_no_concern_and_one_that_was_made_faster_does(
    durable_postgresql: DurablePostgreSql, postgresql: PostgreSql
) -> None:
    database = durable_postgresql.server.database()
    engine = engine_of(durable_postgresql.server.url("psycopg", database))
    try:
        assert SqlAlchemyStorage(engine).durability_warnings() == ()
        with engine.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{database}" SET synchronous_commit = off'))
            connection.commit()
        engine.dispose()
        (warning,) = SqlAlchemyStorage(engine).durability_warnings()
    finally:
        engine.dispose()

    assert str(warning) == "synchronous_commit is off: set it to on, or the last commits end with the machine"
    fast = engine_of(postgresql.url("psycopg", postgresql.database()))
    try:
        assert "fsync" in {warning.setting for warning in SqlAlchemyStorage(fast).durability_warnings()}
    finally:
        fast.dispose()


@pytest.mark.anyio
async def test_it_is_the_same_when_it_is_awaited(postgresql: PostgreSql) -> None:
    database = postgresql.database()
    engine, blocking = (
        create_async_engine(postgresql.url("asyncpg", database)),
        engine_of(postgresql.url("psycopg", database)),
    )
    try:
        assert (
            await AsyncSqlAlchemyStorage(engine).durability_warnings()
            == SqlAlchemyStorage(blocking).durability_warnings()
        )
    finally:
        await engine.dispose()
        blocking.dispose()


def test_a_mariadb_that_was_made_faster_gives_a_concern(mariadb: MariaDb) -> None:
    engine = engine_of(mariadb.url("pymysql", mariadb.database()))
    try:
        found = SqlAlchemyStorage(engine).durability_warnings()
    finally:
        engine.dispose()

    assert "innodb_flush_log_at_trx_commit is 0: set it to 1, or the last commits end with the machine" in map(
        str, found
    )


def test_a_file_gives_a_concern_where_it_is_not_synchronised() -> None:
    engine: Engine = create_engine("sqlite://")
    storage = SqlAlchemyStorage(engine)
    try:
        assert storage.durability_warnings() == ()
        with engine.connect() as connection:
            connection.execute(text("PRAGMA synchronous = NORMAL"))
            connection.commit()
        assert [warning.setting for warning in storage.durability_warnings()] == ["synchronous"]
    finally:
        engine.dispose()
