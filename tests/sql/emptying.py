"""Empty storages for tests that want one after another: two databases of a server, in turn, emptied each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle

from sqlalchemy import Connection, create_engine, delete

from oauthcore.flow.storage import Storage
from oauthcore.testing import Factory
from oauthcore_sqlalchemy import SqlAlchemyStorage, engine_of
from oauthcore_sqlalchemy.table import record
from tests.sql.conftest import make_table, unsynced


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

        def emptied() -> Storage:
            storage, connection = next(turns)
            connection.execute(delete(record))
            return storage

        yield emptied
