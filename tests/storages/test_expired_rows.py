"""Expired records by the thousand: a token request reads no more for them, nor fails while they are purged.

What is measured is work and not time: the rows and entries of indexes that PostgreSQL and MariaDB say they have read,
and the steps of SQLite's virtual machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest
from sqlalchemy import Engine, NullPool, create_engine, event, text

from oauthcore import AuthorizationServer, World, run
from oauthcore.flow.storage import Storage
from oauthcore.storage.purging import BATCH, Purging
from oauthcore.testing import ClientSession, FixedClock, SeededEntropy
from oauthcore.testing.client_session import CLIENT, members_of
from oauthcore_sqlalchemy import SqlAlchemyStorage, engine_of
from oauthcore_sqlite import SqliteStorage
from tests.processes import PATIENCE
from tests.scale import scaled
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.sql.conftest import make_table, unsynced

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROWS = scaled(10_000, 50_000)
# So many that one batch of a purge takes fewer steps than half of them.
MANY = 50_000
# Every row below has expired by then, and nothing that a request makes.
NOW = 1_000_000

# Their keys are spread like digests, and so are the seconds at which they expired.
_IN_POSTGRESQL = """
INSERT INTO oauthcore_record (kind, key, subject, expires_at, body)
SELECT (ARRAY['AccessToken', 'RefreshToken', 'Grant'])[1 + n % 3], md5(n::text), 'person-' || n % 1000, n % 49999,
    repeat('x', 300)
FROM generate_series(1, :rows) AS n
"""
_IN_MYSQL = """
INSERT INTO oauthcore_record (kind, `key`, subject, expires_at, body)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
SELECT ELT(1 + n % 3, 'AccessToken', 'RefreshToken', 'Grant'), sha2(n, 256), concat('person-', n % 1000), n % 49999,
    repeat('x', 300)
FROM numbers
"""
_IN_SQLITE = """
INSERT INTO {table} (kind, key, subject, expires_at, body)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
SELECT 'AccessToken', printf('%016x', n * 2654435761 % 4294967296), 'person-' || n % 1000, n % 49999,
    printf('%.300c', 'x')
FROM numbers
"""

_OTHERS_IN_POSTGRESQL = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_READ_IN_POSTGRESQL = """
SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)
"""
_READ_IN_MARIADB = """
SELECT coalesce(sum(rows_read), 0) FROM information_schema.table_statistics WHERE table_schema = database()
"""
_READ_IN_MYSQL = """
SELECT sum(count_read) FROM performance_schema.table_io_waits_summary_by_table WHERE object_schema = database()
"""


class Opened(Storage, Protocol):
    """Be a storage that tells how many records have expired."""

    def expired(self, before: int) -> int:
        """Count the records that expired before that second."""

    def close(self) -> None:
        """Let go of the connections."""


@attrs.frozen
class Place:
    """Be a database that is empty.

    `open` makes a storage with connections of its own; `fill` makes so many expired records, by one statement; `work`
    tells how much the database has done so far for storages that are closed by now.
    """

    open: Callable[[], Opened]
    fill: Callable[[int], None]
    work: Callable[[], int]


def in_postgresql(server: PostgreSql) -> Place:
    """Be on PostgreSQL, which counts what a connection has read once that has ended."""
    engine = emptied(server.url("psycopg", server.database()))

    def fill(rows: int) -> None:
        with engine.connect() as connection:
            connection.execute(text(_IN_POSTGRESQL), {"rows": rows})

    def work() -> int:
        with engine.connect() as connection:
            while connection.scalar(text(_OTHERS_IN_POSTGRESQL)):
                pass
            return int(connection.scalar(text(_READ_IN_POSTGRESQL)) or 0)

    return Place(lambda: SqlAlchemyStorage(engine_of(engine.url)), fill, work)


def in_mariadb(server: MariaDb) -> Place:
    """Be on MariaDB, which counts what is read once it is told to, or on MySQL, which does so anyway."""
    engine = emptied(server.url("pymysql", server.database()))
    with engine.connect() as connection:
        is_mariadb = connection.dialect.is_mariadb  # type: ignore[attr-defined]  # a dialect of MySQL's has it
        if is_mariadb:
            connection.execute(text("SET GLOBAL userstat = 1"))
    reading = _READ_IN_MARIADB if is_mariadb else _READ_IN_MYSQL
    limit = "max_recursive_iterations" if is_mariadb else "cte_max_recursion_depth"

    def fill(rows: int) -> None:
        with engine.connect() as connection:
            connection.execute(text(f"SET SESSION {limit} = {rows}"))
            connection.execute(text(_IN_MYSQL), {"rows": rows})

    def work() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(text(reading)) or 0)

    return Place(lambda: SqlAlchemyStorage(engine_of(engine.url)), fill, work)


def emptied(url: str) -> Engine:
    """Make the table, and give an engine that keeps no connection, which would be one more where they are counted."""
    make_table(url)
    return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


def in_sqlite_by_sqlalchemy(path: Path) -> Place:
    """Be in a file that SQLAlchemy opens."""
    url, steps = f"sqlite:///{path}?timeout=60", count()
    make_table(url)

    def opened() -> SqlAlchemyStorage:
        engine = unsynced(engine_of(url))
        event.listen(engine, "connect", lambda connection, _: counting(connection, steps))
        return SqlAlchemyStorage(engine)

    return Place(opened, lambda rows: fill_file(path, "oauthcore_record", rows), lambda: next(steps))


def in_sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Be in a file of `oauthcore_sqlite`."""
    steps = count()
    SqliteStorage(path).close()

    def connected(file: Path, wait: float) -> sqlite3.Connection:
        connection = connect(file, wait)
        counting(connection, steps)
        return connection

    from oauthcore_sqlite import schema

    connect = schema.connect
    monkeypatch.setattr(schema, "connect", connected)
    return Place(
        lambda: SqliteStorage(path, synchronous="NORMAL"),
        lambda rows: fill_file(path, "record", rows),
        lambda: next(steps),
    )


def counting(connection: sqlite3.Connection, steps: Iterator[int]) -> None:
    """Count the steps of a connection's virtual machine."""

    def step() -> None:
        next(steps)

    connection.set_progress_handler(step, 1)


def fill_file(path: Path, table: str, rows: int) -> None:
    """Fill a file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_IN_SQLITE.format(table=table), (rows,))
        connection.commit()


@pytest.fixture(params=["postgresql", "mariadb", "sqlite", "sqlite by sqlalchemy"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return each database in turn."""
    match request.param:
        case "postgresql":
            return in_postgresql(request.getfixturevalue("postgresql"))
        case "mariadb":
            return in_mariadb(request.getfixturevalue("mariadb"))
        case "sqlite":
            return in_sqlite(tmp_path / "oauthcore.db", monkeypatch)
        case _:
            return in_sqlite_by_sqlalchemy(tmp_path / "oauthcore.db")


def requests(storage: Storage, name: str) -> Iterator[list[int]]:
    """Be a client and a person: authorize, redeem and refresh, again and again; gives the statuses."""
    entropy = SeededEntropy(len(name))
    server = AuthorizationServer(
        issuer="https://as.example", clock=FixedClock(NOW), entropy=entropy, token_key=b"k" * 32
    )
    world = World(storage)
    client = attrs.evolve(CLIENT, client_id=name)
    session = ClientSession.begin(server, lambda flow: run(flow, world), entropy, client=client)
    while True:
        redeemed = session.redeem(*session.code())
        refreshed = session.refresh(str(members_of(redeemed).get("refresh_token")))
        yield [redeemed.status, refreshed.status]


def worked(place: Place, name: str, turns: int) -> int:
    """Return the work that so many requests make."""
    before = place.work()
    with closing(place.open()) as storage:
        asking = requests(storage, name)
        assert [next(asking) for _ in range(turns)] == [[200, 200]] * turns
    return place.work() - before


def test_a_token_request_reads_no_more_beside_thousands_of_expired_records(place: Place) -> None:
    beside_nothing = worked(place, "before", 5)
    place.fill(ROWS)

    beside_many = worked(place, "after", 5)

    assert beside_nothing > 0
    # A deeper tree takes a few steps more; to look through the others would take at least one for each.
    assert abs(beside_many - beside_nothing) < max(10, beside_nothing / 50)


def purged(place: Place, batches: int) -> int:
    """Return the work that so many batches of a purge make."""
    before = place.work()
    with closing(place.open()) as storage:
        assert [storage.purge(NOW, BATCH) for _ in range(batches)] == [BATCH] * batches
    return place.work() - before


def test_a_batch_of_a_purge_reads_no_more_than_its_part_of_thousands_of_expired_records(place: Place) -> None:
    place.fill(MANY)

    first, _, last = purged(place, 1), purged(place, 80), purged(place, 1)

    # PostgreSQL comes by what was removed and not yet vacuumed, for as long as somebody may still see it.
    assert 0 < first <= last < MANY / 2


def test_token_requests_are_answered_while_thousands_of_expired_records_are_purged(place: Place) -> None:
    place.fill(ROWS)
    told: list[Any] = []
    purging = Purging(clock=lambda: NOW, report=told.append)

    def purge() -> None:
        with closing(place.open()) as storage:
            purging.run(storage, lambda rest: rest == purging.every)

    with ThreadPoolExecutor(1) as pool, closing(place.open()) as storage:
        done, asking = pool.submit(purge), requests(storage, "meanwhile")
        answers = [next(asking)]
        while not done.done():
            answers.append(next(asking))
        done.result(PATIENCE)
        left = storage.expired(NOW)

    assert answers == [[200, 200]] * len(answers)
    assert told == [BATCH] * (ROWS // BATCH) + [0]
    assert left == 0
