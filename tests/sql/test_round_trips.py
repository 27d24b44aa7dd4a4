"""What a find and a commit cost, counted on the wire; and what is tried again when the wire breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.grant import Grant
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of
from tests.servers.wire import Break, Wire
from tests.sql.awaited import Awaited, Loop
from tests.sql.conftest import BLOCKING, PAIRS
from tests.sqlite.things import Other, Thing, grant_of

pytestmark = pytest.mark.slow

A, B, C = Thing("a"), Thing("b"), Thing("c")
ON_THE_WIRE = [pair for pair in PAIRS if not pair.startswith("sqlite")]

AnyStorage = SqlAlchemyStorage | Awaited


@pytest.fixture(params=ON_THE_WIRE)
def pair(request: pytest.FixtureRequest) -> str:
    """Return a database that is reached over a wire, and a driver."""
    return str(request.param)


@pytest.fixture
def wire(url: str) -> Iterator[Wire]:
    """Return a wire to the database."""
    port = make_url(url).port
    assert port is not None
    laid = Wire(port)
    yield laid
    laid.close()


@pytest.fixture
def storage(url: str, pair: str, loop: Loop, wire: Wire) -> Iterator[AnyStorage]:
    """Return a storage at the other end of the wire, with a connection open and its statements prepared."""
    at = make_url(url).set(port=wire.port)
    opened: AnyStorage
    if pair.partition("+")[2] in BLOCKING:
        opened = SqlAlchemyStorage(engine_of(at, pool_size=1, max_overflow=0))
    else:
        opened = Awaited(AsyncSqlAlchemyStorage(async_engine_of(at, pool_size=1, max_overflow=0)), loop)
    opened.commit((Insert(A), Insert(B), Insert(C)))
    # psycopg prepares what it has been asked five times.
    for _ in range(8):
        opened.find(Thing, "a")
        opened.find_of(Grant, "alice")
        opened.commit((Require(A), Replace(B, B), Insert(Other("x"))))
        opened.commit((Delete(Other("x")),))
        opened.commit((Require(Other("y")), Insert(Other("x"))))
    wire.turns = 0
    yield opened
    opened.close()


def test_a_find_is_one_round_trip(storage: AnyStorage, wire: Wire) -> None:
    assert storage.find(Thing, "a") == A
    assert wire.turns == 1
    assert storage.find(Thing, "nobody's") is None
    assert wire.turns == 2
    assert storage.find_of(Grant, "alice") == []
    assert wire.turns == 3


# What a token request commits, what a login does, a revocation, and everything at once.
COMMITS: list[tuple[tuple[Change, ...], int, int]] = [
    ((Require(A), Replace(B, Thing("b", 1)), Insert(Other("t")), Insert(Other("r"))), 1, 5),
    ((Insert(Other("t")), Insert(Other("r"))), 1, 3),
    ((Replace(A, Thing("a", 1)),), 1, 4),
    ((Require(A),), 1, 3),
    ((Require(A), Replace(B, Thing("b", 1)), Delete(C), Insert(Other("t"))), 1, 6),
    (tuple(Insert(grant_of("alice", str(number))) for number in range(200)), 1, 3),
]


@pytest.mark.parametrize(("changes", "on_postgresql", "on_mariadb"), COMMITS)
def test_a_commit_is_one_round_trip_on_postgresql_and_a_few_on_mariadb(
    storage: AnyStorage, wire: Wire, pair: str, changes: tuple[Change, ...], on_postgresql: int, on_mariadb: int
) -> None:
    assert storage.commit(changes) is True

    assert wire.turns == (on_postgresql if pair.startswith("postgresql") else on_mariadb)


def test_who_loses_a_race_looks_once_more(storage: AnyStorage, wire: Wire, pair: str) -> None:
    assert storage.commit((Require(Thing("a", 9)), Insert(Other("t")))) is False

    # On MariaDB the transaction begins, locks, and is undone.
    assert wire.turns == (2 if pair.startswith("postgresql") else 4)


def test_a_find_is_made_again_where_the_connection_has_died(storage: AnyStorage, wire: Wire) -> None:
    for _ in range(3):
        wire.cut()
        assert storage.find(Thing, "a") == A


def test_a_find_whose_answer_is_lost_is_made_again(storage: AnyStorage, wire: Wire) -> None:
    wire.breaks = Break.BEFORE_THE_ANSWER
    with pytest.raises((DBAPIError, OSError)):
        storage.find(Thing, "a")

    wire.breaks = Break.NEVER
    assert storage.find(Thing, "a") == A


def test_a_commit_whose_answer_is_lost_is_not_made_again(storage: AnyStorage, wire: Wire, pair: str) -> None:
    wire.breaks = Break.BEFORE_THE_ANSWER
    wire.after = 0 if pair.startswith("postgresql") else 3  # to begin, to lock, to replace, to commit
    with pytest.raises((DBAPIError, OSError)):
        storage.commit((Replace(A, Thing("a", 1)),))

    wire.breaks = Break.NEVER
    # It was made, and once.
    assert storage.find(Thing, "a") == Thing("a", 1)


def test_a_commit_is_made_again_only_where_the_connection_was_dead_before_it_began(
    storage: AnyStorage, wire: Wire, pair: str
) -> None:
    wire.cut()
    if pair.startswith("mariadb"):
        assert storage.commit((Replace(A, Thing("a", 1)),)) is True
    else:
        # PostgreSQL hears it all at once: nobody could tell whether it was heard.
        with pytest.raises((DBAPIError, OSError)):
            storage.commit((Replace(A, Thing("a", 1)),))

    assert storage.commit((Replace(B, Thing("b", 1)),)) is True


def test_a_commit_that_breaks_off_in_the_middle_leaves_nothing(storage: AnyStorage, wire: Wire, pair: str) -> None:
    wire.breaks = Break.BEFORE_THE_REQUEST
    wire.after = 0 if pair.startswith("postgresql") else 2
    with pytest.raises((DBAPIError, OSError)):
        storage.commit((Replace(A, Thing("a", 1)), Insert(Other("t"))))

    wire.breaks = Break.NEVER
    assert storage.find(Thing, "a") == A
    assert storage.find(Other, "t") is None
    assert storage.commit((Replace(A, Thing("a", 2)),)) is True


def test_the_applications_own_engine_costs_no_more_on_postgresql(url: str, pair: str, wire: Wire) -> None:
    if pair != "postgresql+psycopg":
        pytest.skip("on MariaDB it does, and there is `engine_of` for that")
    storage = SqlAlchemyStorage(create_engine(make_url(url).set(port=wire.port)))
    storage.find(Thing, "a")
    wire.turns = 0

    storage.find(Thing, "a")
    storage.commit((Insert(A), Insert(B)))
    storage.close()

    assert wire.turns == 2
