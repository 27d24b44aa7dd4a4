"""Records in SQLite keep the contract of storage: from two storages over one file, blocking and awaited."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attrs
import pytest

from oauthcore.testing import Clause, StorageUnderTest, Terms, clauses
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from tests.storages.kinds import SOME_KINDS

# Which storage keeps the contract, `nox -s full` shows; `nox` shows it of memory (CONTRIBUTING.md).
pytestmark = pytest.mark.slow


def contents_of(folder: Path) -> list[bytes]:
    """Return what is in the file, and in the log beside it."""
    return [path.read_bytes() for path in folder.iterdir()]


@contextmanager
def blocking() -> Iterator[StorageUnderTest]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "oauthcore.db"
        storage, other = (SqliteStorage(path, synchronous="NORMAL") for _ in range(2))
        yield StorageUnderTest(storage, other, lambda: contents_of(path.parent))
        storage.close()
        other.close()


@contextmanager
def awaited() -> Iterator[StorageUnderTest]:
    with blocking() as subject:
        assert isinstance(subject.storage, SqliteStorage)
        assert isinstance(subject.other, SqliteStorage)
        yield StorageUnderTest(AsyncSqliteStorage(subject.storage), AsyncSqliteStorage(subject.other), subject.contents)


@pytest.mark.parametrize("factory", [blocking, awaited])
@pytest.mark.parametrize("clause", clauses, ids=str)
def test_it_keeps(clause: Clause, factory: Callable[[], AbstractContextManager[StorageUnderTest]]) -> None:
    terms = Terms(contenders=4, rounds=3, examples=5)
    clause.check(factory, terms if factory is blocking else attrs.evolve(terms, kinds=SOME_KINDS))
