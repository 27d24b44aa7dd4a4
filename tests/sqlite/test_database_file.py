"""A file that is removed or replaced while it is open: nothing is found in it or committed to it any more."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from shutil import copyfile

import pytest

from oauthcore.flow.outcome import Insert
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from oauthcore_sqlite.database_file import DatabaseFile, FileMoved
from tests.sqlite.things import Thing

A, B = Thing("a"), Thing("b")


def used(path: Path) -> SqliteStorage:
    """Return a storage that has found and committed."""
    storage = SqliteStorage(path)
    assert storage.commit((Insert(A),)) is True
    assert storage.find(Thing, "a") == A
    return storage


def assert_it_is_noticed(storage: SqliteStorage) -> None:
    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        storage.commit((Insert(B),))
    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        storage.find(Thing, "a")


def test_a_removed_file_is_noticed_and_not_made_anew(path: Path) -> None:
    storage = used(path)

    path.unlink()

    assert_it_is_noticed(storage)
    storage.close()
    assert not path.exists()


def test_a_replaced_file_is_noticed_and_left_as_it_is(path: Path, tmp_path: Path) -> None:
    storage = used(path)
    SqliteStorage(tmp_path / "backup.db").close()
    before = (tmp_path / "backup.db").read_bytes()

    (tmp_path / "backup.db").replace(path)

    assert_it_is_noticed(storage)
    storage.close()
    assert path.read_bytes() == before


def test_a_file_that_is_put_back_is_used_again(path: Path) -> None:
    storage = used(path)
    path.rename(path.with_name("elsewhere.db"))
    assert_it_is_noticed(storage)

    path.with_name("elsewhere.db").rename(path)

    assert storage.commit((Insert(B),)) is True
    assert storage.find(Thing, "b") == B
    storage.close()


def test_a_file_that_is_replaced_before_its_first_use_is_noticed(path: Path, tmp_path: Path) -> None:
    storage = SqliteStorage(path)
    copyfile(path, tmp_path / "copy.db")

    (tmp_path / "copy.db").replace(path)

    assert_it_is_noticed(storage)
    storage.close()


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_commit_notices_that_the_log_was_removed(path: Path, suffix: str) -> None:
    storage = used(path)

    path.with_name(path.name + suffix).unlink()

    with pytest.raises(sqlite3.OperationalError, match="was removed while it was open"):
        storage.commit((Insert(B),))
    storage.close()


@pytest.mark.anyio
async def test_an_async_host_hears_of_it_too(path: Path) -> None:
    storage = used(path)
    path.unlink()

    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        await AsyncSqliteStorage(storage).commit((Insert(B),))
    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        await AsyncSqliteStorage(storage).find(Thing, "a")
    storage.close()


def test_who_only_finds_looks_at_the_file_once_a_second(path: Path) -> None:
    path.touch()
    now = [100.0]
    file = DatabaseFile(path, lambda: now[0])
    file.check_sometimes()
    path.unlink()

    now[0] = 100.9
    file.check_sometimes()
    now[0] = 101.0

    for _ in range(2):
        with pytest.raises(FileMoved):
            file.check_sometimes()


def test_the_file_is_the_same_after_the_process_has_changed_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = SqliteStorage("oauthcore.db")
    (tmp_path / "elsewhere").mkdir()

    monkeypatch.chdir(tmp_path / "elsewhere")

    assert storage.commit((Insert(A),)) is True
    assert storage.find(Thing, "a") == A
    storage.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_is_opened_whatever_characters_its_name_has(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "a ?b#c%20d&e=ä.db")

    assert storage.commit((Insert(A),)) is True
    storage.close()
    assert (tmp_path / "a ?b#c%20d&e=ä.db").exists()
