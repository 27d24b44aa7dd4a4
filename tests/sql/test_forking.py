"""A process that forks with a storage in it: none is answered by what another has asked for."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import Engine

from oauthcore.flow.outcome import Insert
from oauthcore_sqlalchemy import SqlAlchemyStorage, engine_of
from tests.sqlite.test_forking import in_a_child
from tests.sqlite.things import Thing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

A, B = Thing("a"), Thing("b")
NUMBER = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}


def number_of(engine: Engine) -> int:
    """Return what the server calls the connection of the moment."""
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(NUMBER[engine.dialect.name]).scalar_one())


@pytest.mark.parametrize("pair", ["postgresql+psycopg", "mariadb+pymysql"])
def test_a_child_has_connections_of_its_own_and_its_parent_keeps_his(url: str, pair: str) -> None:
    engine = engine_of(url, pool_size=1, max_overflow=0)
    storage = SqlAlchemyStorage(engine)
    assert storage.commit((Insert(A),)) is True
    mine = number_of(engine)

    assert in_a_child(
        lambda: storage.find(Thing, "a") == A and storage.commit((Insert(B),)) and number_of(engine) != mine
    )

    assert number_of(engine) == mine
    assert storage.find(Thing, "b") == B
    storage.close()
