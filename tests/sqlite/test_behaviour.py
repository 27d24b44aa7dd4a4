"""The behaviour of the core, with its records in a file: its own tests, and its requests in every order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest

from oauthcore.testing import Factory
from oauthcore_sqlite import SqliteStorage
from tests.processes import PATIENCE
from tests.storages.behaviour import BEHAVIOUR, INTERLEAVINGS, suites

globals().update(suites(BEHAVIOUR, pytest.mark.once))
globals().update(suites(INTERLEAVINGS))

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """Return one of two files in turn, emptied."""
    folder = tmp_path_factory.mktemp("behaviour")
    storages = [SqliteStorage(folder / f"{name}.db", synchronous="NORMAL") for name in ("one", "other")]
    turns = cycle(storages)

    def opened() -> SqliteStorage:
        storage = next(turns)
        storage._writer.submit(lambda connection: connection.execute("DELETE FROM record").rowcount).result(PATIENCE)
        return storage

    yield opened
    for storage in storages:
        storage.close()
