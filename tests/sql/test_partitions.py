"""Partitions of one database: several issuers share it, and neither finds what is the other's."""

from __future__ import annotations

import pytest

from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, async_engine_of, engine_of
from tests.sql.awaited import Awaited, Loop
from tests.sql.conftest import BLOCKING, unsynced
from tests.storages.partitions import check_apart, check_listed_apart

pytestmark = pytest.mark.slow


@pytest.fixture
def pair_of_storages(url: str, pair: str, loop: Loop) -> tuple[SqlAlchemyStorage | Awaited, ...]:
    """Return two partitions over one pool of connections."""
    if pair.partition("+")[2] in BLOCKING:
        engine = unsynced(engine_of(url))
        return tuple(SqlAlchemyStorage(engine, partition=name) for name in ("a", "b"))
    awaited = unsynced(async_engine_of(url))
    return tuple(Awaited(AsyncSqlAlchemyStorage(awaited, partition=name), loop) for name in ("a", "b"))


def test_partitions_of_one_database_see_nothing_of_each_other(
    pair_of_storages: tuple[SqlAlchemyStorage | Awaited, ...],
) -> None:
    one, other = pair_of_storages

    check_listed_apart(one, other, lambda storage, kind: storage.every(kind))
    check_apart(one, other)
    other.close()
