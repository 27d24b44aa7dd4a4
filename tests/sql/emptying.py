"""Empty storages for tests that want one after another: two databases of a server, in turn, emptied each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle

import pytest
from sqlalchemy import Connection, create_engine, delete

from oauthcore.flow.storage import Storage
from oauthcore.testing import Factory
from oauthcore_sqlalchemy import SqlAlchemyStorage, engine_of
from oauthcore_sqlalchemy.table import record
from tests.sql.conftest import DRIVERS, make_table, unsynced


@contextmanager
def emptying(*urls: str) -> Iterator[Factory]:
    """Return what empties the next of the databases, whose storages and connections stay open meanwhile."""
    with ExitStack() as stack:
        pairs: list[tuple[SqlAlchemyStorage, Connection]] = []
        for url in urls:
            make_table(url)
            storage = SqlAlchemyStorage(unsynced(engine_of(url)))
            stack.callback(storage.close)
            # Not of the storage's engine: that one is for the storage alone.
            engine = unsynced(create_engine(url, isolation_level="AUTOCOMMIT"))
            stack.callback(engine.dispose)
            pairs.append((storage, stack.enter_context(engine.connect())))
        turns = cycle(pairs)

        def opened() -> Storage:
            storage, connection = next(turns)
            connection.execute(delete(record))
            return storage

        yield opened


@pytest.fixture(scope="module", params=DRIVERS)
def emptied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """Return what opens an empty storage, by the blocking driver of each database; for a module that imports it."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("emptied")
        urls = [f"sqlite:///{folder / name}.db" for name in ("one", "other")]
    else:
        server = request.getfixturevalue(request.param)
        urls = [server.url(server.drivers[0], server.database()) for _ in range(2)]
    with emptying(*urls) as factory:
        yield factory
