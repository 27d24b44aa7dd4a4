"""What SQLite does beside the contract of storage: over threads, processes and restarts."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Thread

import attrs
import pytest

from oauthcore import Client, ConfigurationError
from oauthcore.flow.outcome import Insert, Replace, Require
from oauthcore.records.grant import Grant
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from oauthcore_sqlite.schema import connect_reader
from tests.processes import PATIENCE
from tests.sqlite.things import Other, Thing, grant_of
from tests.storages.old_consents import old_consent_is_read_replaced_and_withdrawn

A, B = Thing("a"), Thing("b")
A1 = Thing("a", 1)


def things(storage: SqliteStorage) -> set[Thing]:
    return set(storage.every(Thing))


def test_records_outlive_the_storage(path: Path, storage: SqliteStorage) -> None:
    client = Client(client_id="app", name="Ä\0 app", redirect_uris=("https://a.example/cb",), scope="a b")
    storage.commit((Insert(client),))

    again = SqliteStorage(path)
    found = again.find(Client, "app"), again.find(Client, "app")
    again.close()

    assert found == (client, client)


def test_every_record_of_a_kind_comes_out_once_in_order(storage: SqliteStorage) -> None:
    keys = [f"{number:04}" for number in range(450)]
    for start in range(0, 450, 90):
        storage.commit([Insert(Thing(key)) for key in keys[start : start + 90]])
    storage.commit((Insert(Other("x")),))

    assert [thing.key for thing in storage.every(Thing)] == keys


def test_a_record_written_before_a_field_was_added_is_still_the_same(storage: SqliteStorage) -> None:
    storage.commit((Insert(A),))
    storage._writer.submit(
        lambda connection: connection.execute('UPDATE record SET body = \'{"key": "a"}\'').rowcount
    ).result(PATIENCE)

    assert storage.find(Thing, "a") == A
    assert storage.commit((Require(A), Replace(A, A1))) is True
    assert storage.find(Thing, "a") == A1


@pytest.mark.anyio
async def test_an_async_host_awaits_the_same(storage: SqliteStorage) -> None:
    awaited = AsyncSqliteStorage(storage)
    grant = grant_of("alice", "1")

    assert await awaited.commit((Insert(Thing("a", expires_at=1)), Insert(grant))) is True
    assert await awaited.commit((Insert(A),)) is False
    assert await awaited.find(Thing, "a") == Thing("a", expires_at=1)
    assert await awaited.find_of(Grant, "alice") == [grant]
    assert await awaited.purge(2, 10) == 2


def test_the_file_is_its_owners_alone(path: Path, storage: SqliteStorage) -> None:
    storage.commit((Insert(A),))

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"oauthcore.db": 0o600, "oauthcore.db-wal": 0o600, "oauthcore.db-shm": 0o600}


def test_a_text_that_no_file_can_hold_is_refused_before_anything_is_done(storage: SqliteStorage) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        storage.commit((Insert(A), Insert(Thing("\ud800"))))

    assert things(storage) == set()


def test_a_record_that_can_not_be_read_is_an_error_of_its_own_commit_alone(storage: SqliteStorage) -> None:
    storage.commit((Insert(A), Insert(B)))
    storage._writer.submit(
        lambda connection: connection.execute("UPDATE record SET body = '[]' WHERE key = 'a'").rowcount
    ).result(PATIENCE)

    with pytest.raises(ValueError, match="not a Thing"):
        storage.commit((Insert(Thing("c")), Replace(A, A1)))
    assert storage.commit((Replace(B, attrs.evolve(B, value=1)),)) is True
    assert storage.find(Thing, "c") is None


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_a_database_in_memory_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name a file, or use MemoryStorage"):
        SqliteStorage(name)


def test_threads_that_come_and_go_share_connections(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []

    def connect(path: Path, wait: float) -> sqlite3.Connection:
        opened.append(connect_reader(path, wait))
        return opened[-1]

    monkeypatch.setattr("oauthcore_sqlite.storage.connect_reader", connect)
    storage = SqliteStorage(path)
    storage.commit((Insert(A),))
    found: list[Thing | None] = []
    for _ in range(20):
        thread = Thread(target=lambda: found.append(storage.find(Thing, "a")))
        thread.start()
        thread.join(PATIENCE)
    storage.close()

    assert found == [A] * 20
    assert len(opened) == 1


def test_a_closed_storage_finds_nothing_on_any_thread(path: Path) -> None:
    storage = SqliteStorage(path)
    storage.commit((Insert(A),))
    storage.close()

    with ThreadPoolExecutor(1) as pool, pytest.raises(sqlite3.ProgrammingError, match="the storage is closed"):
        pool.submit(storage.find, Thing, "a").result(PATIENCE)
    with pytest.raises(sqlite3.ProgrammingError, match="the storage is closed"):
        storage.find(Thing, "a")


def test_what_no_file_can_hold_is_not_found(storage: SqliteStorage) -> None:
    storage.commit((Insert(A),))

    assert storage.find(Thing, "\ud800") is None
    assert storage.find_of(Grant, "\ud800") == []


def test_a_second_handle_in_one_process_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """SQLite, How To Corrupt, section 2.2: to close the file drops what this process has locked of it."""
    path = tmp_path / "x.db"
    elsewhere = f"from oauthcore_sqlite import SqliteStorage; SqliteStorage({str(path)!r}).close()"
    with closing(SqliteStorage(path)) as first:
        assert first.commit((Insert(Thing("a")),))
        SqliteStorage(path).close()

        # The last to leave a database takes its log away; this one is not the last.
        subprocess.run([sys.executable, "-c", elsewhere], check=True, timeout=60)

        assert path.with_name("x.db-wal").exists()
        assert first.commit((Insert(Thing("b")),))


def test_a_consent_of_an_earlier_version_is_read_replaced_and_withdrawn(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_consent_is_read_replaced_and_withdrawn(storage, monkeypatch)
