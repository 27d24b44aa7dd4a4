"""Whatever consumes something, in every order, with its records in SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oauthcore.testing import Factory
from oauthcore_sqlite import SqliteStorage
from tests.core.test_interleavings import *  # noqa: F403 - each of them again, over what `kept` gives here

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Factory]:
    """Give the same file for every schedule, emptied."""
    storage = SqliteStorage(tmp_path / "oauthcore.db", synchronous="NORMAL")

    def emptied() -> SqliteStorage:
        storage._writer.submit(lambda connection: connection.execute("DELETE FROM record").rowcount).result()
        return storage

    yield emptied
    storage.close()
