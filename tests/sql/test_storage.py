"""What SQL databases do beside the contract of storage, on every database and with every driver."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.ext.asyncio import create_async_engine

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Delete, Insert, Replace, Require
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of, retries, schema
from oauthcore_sqlalchemy.table import record
from tests.sql.awaited import Awaited, Loop
from tests.sql.conftest import DRIVERS, Locate, empty_table
from tests.sqlite.things import Other, Thing
from tests.storages.old_consents import old_consent_is_read_replaced_and_withdrawn

pytestmark = pytest.mark.slow

A, B = Thing("a"), Thing("b")
A1 = Thing("a", 1)

AnyStorage = SqlAlchemyStorage | Awaited


def things(storage: AnyStorage) -> set[Thing]:
    return set(storage.every(Thing))


def test_everything_at_once_is_one_commit(storage: AnyStorage) -> None:
    known = [Thing(f"{number:03}") for number in range(250)]
    storage.commit([Insert(thing) for thing in known])
    changed = [Replace(thing, attrs.evolve(thing, value=1, expires_at=7)) for thing in known[:120]]
    removed, required = [Delete(thing) for thing in known[120:230]], [Require(thing) for thing in known[230:]]

    assert storage.commit((*removed, *required, *changed, Insert(A))) is True
    assert storage.commit((*required, *changed)) is False

    assert things(storage) == {A, *known[230:], *(change.new for change in changed)}
    assert storage.expired(8) == 120


def test_keys_differ_where_a_letter_does(storage: AnyStorage) -> None:
    keys = ["a", "A", "ä", "a ", " a", "a\0", "a\n", "ß", "ss", "", "e\u0301", "é", "x" * 128, "x" * 129, "😀" * 5_000]
    for key in keys:
        assert storage.commit((Insert(Thing(key)),)) is True

    assert [storage.find(Thing, key) for key in keys] == [Thing(key) for key in keys]
    assert [storage.commit((Insert(Thing(key)),)) for key in keys] == [False] * len(keys)
    assert things(storage) == {Thing(key) for key in keys}


def test_every_record_of_a_kind_comes_out_once_in_order(storage: AnyStorage) -> None:
    keys = [f"{number:04}" for number in range(450)]
    storage.commit([Insert(Thing(key)) for key in keys])
    storage.commit((Insert(Other("x")),))

    assert [thing.key for thing in storage.every(Thing)] == keys


def test_purging_removes_what_has_expired_in_batches(storage: AnyStorage) -> None:
    expired = [Insert(Thing(str(second), expires_at=second)) for second in range(5)]
    storage.commit((*expired, Insert(Thing("now", expires_at=5)), Insert(Thing("never"))))

    assert storage.expired(5) == 5
    assert [storage.purge(5, 3), storage.purge(5, 3), storage.purge(5, 3)] == [3, 2, 0]

    assert {thing.key for thing in things(storage)} == {"now", "never"}


def test_a_purge_keeps_to_its_limit_however_the_database_plans_it(locate: Locate) -> None:
    """A subquery with LIMIT may be run once for each row that is looked at, and then each time gives other rows."""
    planner = ("hashjoin", "mergejoin", "hashagg", "material", "sort", "seqscan")
    options = " ".join(f"-c enable_{way}=off" for way in planner)
    empty_table(url := locate("postgresql+psycopg"))
    engine = create_engine(url, connect_args={"options": options})
    storage = SqlAlchemyStorage(engine)
    storage.commit([Insert(Thing(f"planned-{second}", expires_at=second)) for second in range(25)])

    removed = [storage.purge(25, 10) for _ in range(4)]

    engine.dispose()
    assert removed == [10, 10, 5, 0]


def test_a_record_written_before_a_field_was_added_is_still_the_same(
    storage: AnyStorage, pair: str, locate: Locate
) -> None:
    storage.commit((Insert(A), Insert(B)))
    database = pair.partition("+")[0]
    engine = engine_of(locate(f"{database}+{DRIVERS[database][0]}"))
    with engine.begin() as connection:
        connection.execute(update(record).where(record.c.key == "a").values(body='{"key": "a"}'))
    engine.dispose()

    assert storage.find(Thing, "a") == A
    assert storage.commit((Require(A), Insert(Thing("c")))) is True
    assert storage.commit((Require(A), Replace(B, Thing("b", 1)))) is True
    assert storage.commit((Replace(A1, A),)) is False
    assert storage.commit((Require(A), Replace(A, A1), Insert(B))) is False
    assert storage.commit((Require(A), Replace(A, A1))) is True
    assert storage.find(Thing, "a") == A1


def test_a_text_that_no_database_can_hold_is_refused_before_anything_is_done(storage: AnyStorage) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        storage.commit((Insert(A), Insert(Thing("\ud800"))))

    assert things(storage) == set()
    assert storage.find(Thing, "\ud800") is None


@pytest.mark.parametrize("pair", ["postgresql+psycopg", "mariadb+pymysql"])
def test_a_connection_to_what_only_reads_is_let_go_of_and_the_commit_made_by_another(url: str, pair: str) -> None:
    """After a failover a pool may be full of connections to what was the primary, and is none any more."""
    read_only = {
        "postgresql": "SET default_transaction_read_only = on",
        "mariadb": "SET SESSION TRANSACTION READ ONLY",
    }
    engine = engine_of(url, pool_size=2, max_overflow=0)
    with engine.connect() as connection:
        connection.exec_driver_sql(read_only[pair.partition("+")[0]])
        connection.commit()
    storage = SqlAlchemyStorage(engine)

    assert storage.commit((Insert(A),)) is True
    assert storage.commit((Replace(A, A1), Insert(B))) is True

    storage.close()


@pytest.mark.parametrize("pair", ["postgresql+asyncpg"])
def test_so_it_is_let_go_of_where_it_is_awaited(url: str, pair: str, loop: Loop) -> None:
    async def go() -> None:
        engine = async_engine_of(url, pool_size=2, max_overflow=0)
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SET default_transaction_read_only = on")
            await connection.commit()
        storage = AsyncSqlAlchemyStorage(engine)

        assert await storage.commit((Insert(A),)) is True

        await storage.close()

    loop.wait(go())


def test_commits_that_name_the_same_records_in_every_order_never_wait_in_a_circle(
    storage: AnyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "ATTEMPTS", 1)  # a deadlock is then an error
    keys = [str(number) for number in range(6)]
    storage.commit([Insert(Thing(key)) for key in keys])

    def found(key: str) -> Thing:
        thing = storage.find(Thing, key)
        assert thing is not None
        return thing

    def work(number: int) -> int:
        chance, made = random.Random(number), 0
        for turn in range(10):
            first, second, third, fourth = (found(key) for key in chance.sample(keys, 4))
            written = [Replace(thing, attrs.evolve(thing, value=thing.value + 1)) for thing in (first, second)]
            inserted = [Insert(Other(f"{turn} {place}")) for place in chance.sample(range(3), 2)]
            made += storage.commit((Require(third), *written, *inserted[: turn % 3], Require(fourth)))
        return made

    with ThreadPoolExecutor(6) as pool:
        made = sum(pool.map(work, range(6)))

    assert made > 0
    assert sum(thing.value for thing in things(storage)) == 2 * made


def test_another_kind_of_database_is_refused() -> None:
    engine = create_engine("sqlite://")
    engine.dialect.name = "oracle"

    with pytest.raises(ConfigurationError, match="use one of postgresql, mysql, mariadb, sqlite"):
        SqlAlchemyStorage(engine)


def test_what_is_no_engine_of_its_colour_is_refused_at_once() -> None:
    blocking, awaited = create_engine("sqlite://"), create_async_engine("sqlite+aiosqlite://")

    with pytest.raises(ConfigurationError, match=r"AsyncEngine.*: use Engine or Connection, or else Async"):
        SqlAlchemyStorage(awaited)  # type: ignore[arg-type]  # as somebody may whose code is not checked
    with pytest.raises(ConfigurationError, match=r"Engine.*: use AsyncEngine or AsyncConnection, or else Sql"):
        AsyncSqlAlchemyStorage(blocking)  # type: ignore[arg-type]  # likewise
    with pytest.raises(ConfigurationError, match=r"str.*: use Engine or Connection"):
        SqlAlchemyStorage("sqlite://")  # type: ignore[arg-type]  # likewise


def test_a_consent_of_an_earlier_version_is_read_replaced_and_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one database: what a text means is the core's, and that texts are compared as records is tested on all."""
    engine = engine_of(f"sqlite:///{tmp_path}/oauthcore.db")
    with engine.begin() as connection:
        schema.upgrade(connection)
    with closing(SqlAlchemyStorage(engine)) as storage:
        old_consent_is_read_replaced_and_withdrawn(storage, monkeypatch)
