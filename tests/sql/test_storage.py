"""The contract of storage, on every database and with every driver."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import attrs
import pytest
from sqlalchemy import create_engine, update

from oauthcore import Client, ConfigurationError
from oauthcore.digest import Digest
from oauthcore.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records import Consent, Grant
from oauthcore.scope import Scope
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, courses, engine_of
from oauthcore_sqlalchemy.table import record
from tests.sql.awaited import Awaited, Loop
from tests.sql.conftest import DRIVERS, Locate, empty_table
from tests.sqlite.things import Other, Thing, grant_of

A, B = Thing("a"), Thing("b")
A1 = Thing("a", 1)

AnyStorage = SqlAlchemyStorage | Awaited


def things(storage: AnyStorage) -> set[Thing]:
    return set(storage.every(Thing))


def test_a_record_is_found_by_kind_and_key(storage: AnyStorage) -> None:
    storage.commit((Insert(A), Insert(Other("a"))))

    assert storage.find(Thing, "a") == A
    assert storage.find(Other, "a") == Other("a")
    assert storage.find(Thing, "b") is None


@pytest.mark.parametrize(
    ("change", "after"),
    [(Insert(B), {A, B}), (Replace(A, A1), {A1}), (Replace(A, A), {A}), (Require(A), {A}), (Delete(A), set())],
)
def test_a_change_whose_precondition_holds_is_made(storage: AnyStorage, change: Change, after: set[Thing]) -> None:
    storage.commit((Insert(A),))

    assert storage.commit((change,)) is True

    assert things(storage) == after


@pytest.mark.parametrize(
    "change",
    [Insert(A), Insert(A1), Replace(A1, A), Require(A1), Delete(A1), Replace(B, B), Require(B), Delete(B)],
)
def test_a_change_whose_precondition_fails_changes_nothing_of_the_whole_commit(
    storage: AnyStorage, change: Change
) -> None:
    other = Other("o")
    storage.commit((Insert(A), Insert(other)))

    together = (Insert(Thing("0")), Replace(other, Other("o", 5)), Require(A), change, Insert(Thing("d")))
    assert storage.commit(tuple(one for one in together if one != Require(A) or change != Insert(A))) is False

    assert things(storage) == {A}
    assert storage.find(Other, "o") == other


def test_everything_at_once_is_one_commit(storage: AnyStorage) -> None:
    known = [Thing(f"{number:03}") for number in range(250)]
    storage.commit([Insert(thing) for thing in known])
    changed = [Replace(thing, attrs.evolve(thing, value=1, expires_at=7)) for thing in known[:120]]
    removed, required = [Delete(thing) for thing in known[120:230]], [Require(thing) for thing in known[230:]]

    assert storage.commit((*removed, *required, *changed, Insert(A))) is True
    assert storage.commit((*required, *changed)) is False

    assert things(storage) == {A, *known[230:], *(change.new for change in changed)}
    assert storage.expired(8) == 120


def test_a_change_sees_what_those_before_it_in_the_same_commit_did(storage: AnyStorage) -> None:
    assert storage.commit((Insert(A), Replace(A, A1), Require(A1), Delete(A1), Insert(B))) is True
    assert storage.commit((Delete(B), Require(B))) is False
    assert storage.commit((Require(B), Replace(B, Thing("b", 1)), Replace(Thing("b", 1), B), Insert(A))) is True
    assert storage.commit((Insert(A), Delete(A))) is False
    assert storage.commit((Delete(A), Insert(A1))) is True

    assert things(storage) == {A1, B}


def test_nothing_at_all_is_committed_at_once(storage: AnyStorage) -> None:
    assert storage.commit(()) is True


def test_keys_differ_where_a_letter_does(storage: AnyStorage) -> None:
    keys = ["a", "A", "ä", "a ", " a", "a\0", "a\n", "ß", "ss", "", "e\u0301", "é", "x" * 128, "x" * 129, "😀" * 5_000]
    for key in keys:
        assert storage.commit((Insert(Thing(key)),)) is True

    assert [storage.find(Thing, key) for key in keys] == [Thing(key) for key in keys]
    assert [storage.commit((Insert(Thing(key)),)) for key in keys] == [False] * len(keys)
    assert things(storage) == {Thing(key) for key in keys}


def test_a_text_of_any_length_and_of_any_characters_comes_back_as_it_was(storage: AnyStorage) -> None:
    client = Client(
        client_id="app", name="Ä\0 😀 :name %s \\ ' \" " + "x" * 200_000, redirect_uris=("https://a.example",)
    )
    storage.commit((Insert(client),))

    assert storage.find(Client, "app") == client
    assert storage.commit((Replace(client, attrs.evolve(client, enabled=False)),)) is True


@pytest.mark.parametrize("subject", ["alice", "ALICE", "álice", "alice ", "a\0", "s" * 1_000])
def test_grants_are_found_by_their_person(storage: AnyStorage, subject: str) -> None:
    others = [grant_of(name, name) for name in ("alice", "ALICE", "álice", "alice ", "a\0", "s" * 1_000, "bob")]
    consent = Consent(
        key=Digest("c"), client_id="c", subject=subject, scope=Scope(("a",)), granted_at=0, expires_at=None
    )
    storage.commit([*(Insert(grant) for grant in others), Insert(consent), Insert(A)])

    assert storage.find_of(Grant, subject) == [grant_of(subject, subject)]
    assert storage.find_of(Consent, subject) == [consent]


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


def test_of_many_threads_that_want_one_record_one_gets_it(storage: AnyStorage) -> None:
    storage.commit((Insert(A), Insert(B)))
    barrier = Barrier(8)

    def take(number: int) -> bool:
        barrier.wait()
        return storage.commit((Require(B), Replace(A, Thing("a", number)), Insert(Thing(f"winner {number}"))))

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(take, range(1, 9)))

    assert won.count(True) == 1
    winner = won.index(True) + 1
    assert things(storage) == {B, Thing("a", winner), Thing(f"winner {winner}")}


def test_of_many_threads_that_insert_one_key_one_does(storage: AnyStorage) -> None:
    barrier = Barrier(8)

    def take(number: int) -> bool:
        barrier.wait()
        return storage.commit((Insert(Thing(f"{number}")), Insert(Thing("a", number)), Insert(Thing(f"z{number}"))))

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(take, range(8)))

    assert won.count(True) == 1
    assert len(things(storage)) == 3


def test_commits_that_name_the_same_records_in_every_order_never_wait_in_a_circle(
    storage: AnyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courses, "ATTEMPTS", 1)  # a deadlock is then an error
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
    class Dialect:
        name = "oracle"

    class Engine:
        dialect = Dialect()

    with pytest.raises(ConfigurationError, match="use one of postgresql, mysql, mariadb, sqlite"):
        SqlAlchemyStorage(Engine())  # type: ignore[arg-type]  # it has what is looked at
