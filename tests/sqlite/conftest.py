"""What the tests of the SQLite storage share: a file, and a storage over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oauthcore_sqlite import SqliteStorage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database is, or will be."""
    return tmp_path / "oauthcore.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    """Return a storage over a fresh file. Not synchronised to the disk, which these tests have no need of."""
    opened = SqliteStorage(path, synchronous="NORMAL")
    yield opened
    opened.close()


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests under asyncio: what wakes the awaiting task is its."""
    return "asyncio"
