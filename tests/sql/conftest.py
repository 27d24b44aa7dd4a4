"""What the tests of the SQL storages share: every database, by every driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, delete, event
from sqlalchemy.ext.asyncio import AsyncEngine

from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of, schema
from oauthcore_sqlalchemy.table import record
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.sql.awaited import Awaited, Loop

# The first of each is blocking, and knows how to make the table.
DRIVERS = {
    "postgresql": PostgreSql.drivers,
    "mariadb": MariaDb.drivers,
    "sqlite": ("pysqlite", "aiosqlite"),
}
PAIRS = [f"{database}+{driver}" for database, drivers in DRIVERS.items() for driver in drivers]
BLOCKING = {drivers[0] for drivers in DRIVERS.values()}

Locate = Callable[[str], str]


@pytest.fixture(scope="session")
def locate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Locate:
    """Return what knows the URL of each pair of database and driver; the databases are made when they are asked for."""
    names: dict[str, str] = {}

    def url(pair: str) -> str:
        database, _, driver = pair.partition("+")
        if database == "sqlite":
            names.setdefault(database, str(tmp_path_factory.mktemp("sql") / "oauthcore.db"))
            found = f"sqlite+{driver}:///{names[database]}?timeout=60"
        else:
            server = request.getfixturevalue(database)
            found = server.url(driver, names.get(database) or names.setdefault(database, server.database()))
        return found

    made: set[str] = set()

    def located(pair: str) -> str:
        database = pair.partition("+")[0]
        if database not in made:
            make_table(url(f"{database}+{DRIVERS[database][0]}"))
            made.add(database)
        return url(pair)

    return located


def make_table(url: str) -> None:
    """Bring a database up to date."""
    engine = engine_of(url)
    with engine.begin() as connection:
        schema.upgrade(connection)
    engine.dispose()


def empty_table(url: str) -> None:
    """Leave no record."""
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(delete(record))
    engine.dispose()


E = TypeVar("E", Engine, AsyncEngine)


def unsynced(engine: E) -> E:
    """Let SQLite not wait for the disk, which these tests have no need of."""

    def connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()

    if engine.dialect.name == "sqlite":
        event.listen(getattr(engine, "sync_engine", engine), "connect", connected)
    return engine


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """Return an event loop that runs in a thread."""
    running = Loop()
    yield running
    running.close()


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> str:
    """Return a database and a driver."""
    return str(request.param)


@pytest.fixture
def url(pair: str, locate: Locate) -> str:
    """Return where an empty database is."""
    database = pair.partition("+")[0]
    found = locate(pair)
    empty_table(locate(f"{database}+{DRIVERS[database][0]}"))
    return found


@pytest.fixture
def storage(url: str, pair: str, loop: Loop) -> Iterator[SqlAlchemyStorage | Awaited]:
    """Return a storage over an empty table, blocking or awaited."""
    opened: SqlAlchemyStorage | Awaited
    if pair.partition("+")[2] in BLOCKING:
        opened = SqlAlchemyStorage(unsynced(engine_of(url)))
    else:
        opened = Awaited(AsyncSqlAlchemyStorage(unsynced(async_engine_of(url))), loop)
    yield opened
    opened.close()
