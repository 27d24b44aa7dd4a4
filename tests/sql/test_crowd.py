"""Sixteen processes that want the same codes and tokens of one database at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from oauthcore_sqlalchemy import SqlAlchemyStorage, engine_of
from oauthcore_sqlite import SqliteStorage
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.sql.conftest import make_table, unsynced
from tests.storages.crowd import Opening, check_redeeming, check_refreshing, gathered, prepare

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.untraced]


def opened(url: str) -> SqlAlchemyStorage:
    """Open a storage with a connection of its own, in whatever process."""
    return SqlAlchemyStorage(unsynced(engine_of(url, pool_size=1, max_overflow=0)))


def opened_file(path: Path) -> SqliteStorage:
    """Open a file without SQLAlchemy."""
    return SqliteStorage(path, synchronous="NORMAL", wait=60)


@pytest.fixture(params=["postgresql", "mariadb", "oauthcore_sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Return what opens a storage on an empty database."""
    if request.param == "oauthcore_sqlite":
        return partial(opened_file, tmp_path / "oauthcore.db")
    server: PostgreSql | MariaDb = request.getfixturevalue(request.param)
    url = server.url(server.drivers[0], server.database())
    make_table(url)
    return partial(opened, url)


def test_each_code_and_each_token_is_had_by_one_of_sixteen_processes(opening: Opening) -> None:
    codes, tokens = prepare(opening)

    with gathered() as crowd:
        check_redeeming(crowd(opening, "redeem", codes))
        check_refreshing(crowd(opening, "refresh", tokens))


def test_each_code_and_each_token_in_a_file_is_had_by_one_of_sixteen_processes_through_sqlalchemy(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'oauthcore.db'}?timeout=60"
    make_table(url)
    opening = partial(opened, url)
    codes, tokens = prepare(opening)

    with gathered() as crowd:
        check_redeeming(crowd(opening, "redeem", codes))
        check_refreshing(crowd(opening, "refresh", tokens))
