"""The schema: made once, compared with what it should be, apart from the application's own."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from oauthcore import Client, ConfigurationError
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of, schema
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.sql.conftest import BLOCKING, PAIRS

pytestmark = pytest.mark.slow


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where an empty database is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'oauthcore.db'}"
    server: PostgreSql | MariaDb = request.getfixturevalue(request.param)
    return server.url(server.drivers[0], server.database())


def test_who_upgrades_again_finds_it_done(url: str) -> None:
    engine = engine_of(url)
    for _ in range(2):
        with engine.begin() as connection:
            schema.upgrade(connection)

    with engine.connect() as connection:
        assert schema.current(connection) == schema.head() == "0001"
        assert schema.differences(connection) == []
        assert sorted(inspect(connection).get_table_names()) == ["oauthcore_alembic_version", "oauthcore_record"]
    engine.dispose()


def test_what_is_not_as_it_should_be_is_told(url: str) -> None:
    engine = engine_of(url)
    with engine.connect() as connection:
        assert schema.differences(connection) == ["it is at revision None, and has to be at 0001"]
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (a INTEGER)"))
        schema.upgrade(connection)
    with engine.begin() as connection:
        assert schema.differences(connection) == []
        connection.execute(text("ALTER TABLE oauthcore_record ADD COLUMN more INTEGER"))
    with engine.connect() as connection:
        (told,) = schema.differences(connection)
    engine.dispose()

    assert "more" in told


def test_what_a_newer_version_has_made_is_left_alone(url: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        schema.upgrade(connection)
        connection.execute(text("UPDATE oauthcore_alembic_version SET version_num = '9999'"))
    with engine.connect() as connection:
        with pytest.raises(ConfigurationError, match="a newer oauthcore has made its schema; update this one"):
            schema.upgrade(connection)
        connection.rollback()
        with pytest.raises(ConfigurationError, match="a newer oauthcore has made its schema; update this one"):
            schema.check_revision(connection, url)
        assert schema.current(connection) == "9999"
    engine.dispose()


def test_who_waits_too_long_for_another_who_migrates_does_nothing(
    mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_WAIT", 0)
    engine = engine_of(mariadb.url("pymysql", mariadb.database()))
    with engine.connect() as other, engine.connect() as connection:
        other.execute(text("SELECT GET_LOCK('oauthcore', 0)"))

        with pytest.raises(ConfigurationError, match="another process migrates it"):
            schema.upgrade(connection)

        assert schema.current(connection) is None
    engine.dispose()


def test_an_applications_own_alembic_leaves_the_tables_alone_where_it_is_told_to(url: str) -> None:
    """As docs/storage.md says: it would drop them otherwise."""

    def include_name(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or not str(name).startswith("oauthcore_")

    engine = engine_of(url)
    with engine.begin() as connection:
        schema.upgrade(connection)
        unaware = compare_metadata(MigrationContext.configure(connection), MetaData())
        aware = compare_metadata(
            MigrationContext.configure(connection, opts={"include_name": include_name}), MetaData()
        )
    engine.dispose()

    assert {what for what, *_ in unaware} == {"remove_table", "remove_index"}
    assert aware == []


@pytest.mark.parametrize("pair", PAIRS)
def test_tables_that_were_forgotten_are_named_with_the_remedy(
    pair: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database, _, driver = pair.partition("+")
    if database == "sqlite":
        url = f"sqlite+{driver}:///{tmp_path / 'x.db'}"
    else:
        server = request.getfixturevalue(database)
        url = server.url(driver, server.database())

    async def look_and_wait() -> None:
        """Look for something, by an async driver."""
        storage = AsyncSqlAlchemyStorage(async_engine_of(url))
        try:
            await storage.find(Client, "app")
        finally:
            await storage.close()

    def look() -> None:
        """Look for something, by a blocking driver."""
        with closing(SqlAlchemyStorage(engine_of(url))) as storage:
            storage.find(Client, "app")

    with pytest.raises(ConfigurationError, match="its tables are not there: run oauthcore db upgrade") as failure:
        look() if driver in BLOCKING else asyncio.run(look_and_wait())

    assert "\n" not in str(failure.value)
