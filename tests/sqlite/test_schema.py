"""The file: whose it is, of which version, and what can't be opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from oauthcore import ConfigurationError
from oauthcore_sqlite import SqliteStorage, schema
from oauthcore_sqlite.schema import APPLICATION_ID, VERSION


def settings(path: Path) -> dict[str, object]:
    with closing(sqlite3.connect(path)) as connection:
        names = ("application_id", "user_version", "journal_mode")
        return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}


def test_a_fresh_file_says_whose_it_is_and_of_which_version(path: Path) -> None:
    SqliteStorage(path).close()

    assert settings(path) == {"application_id": APPLICATION_ID, "user_version": VERSION, "journal_mode": "wal"}


def test_an_older_file_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteStorage(path).close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE more (key TEXT)",)))
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)

    SqliteStorage(path).close()
    SqliteStorage(path).close()

    assert settings(path)["user_version"] == VERSION + 1


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteStorage(path).close()
    steps = ("CREATE TABLE more (key TEXT)", "CREATE NONSENSE")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, steps))

    with pytest.raises(ConfigurationError, match="syntax error"):
        SqliteStorage(path)

    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert tables == {"record"}


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    SqliteStorage(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")

    with pytest.raises(ConfigurationError, match="a newer oauthcore has made it"):
        SqliteStorage(path)


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (a)", "PRAGMA application_id = 7"])
def test_another_programs_database_is_refused_and_left_alone(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    before = settings(path)

    with pytest.raises(ConfigurationError, match="another program's database"):
        SqliteStorage(path)

    assert settings(path) == before


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"this is text, and more than a hundred bytes of it" * 100)

    with pytest.raises(ConfigurationError, match="not a database"):
        SqliteStorage(path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "oauthcore.db"

    with pytest.raises(ConfigurationError) as refused:
        SqliteStorage(missing)

    reason = "it can't be opened: No such file or directory; name a database that the server may write to"
    assert str(refused.value) == f"storage = {str(missing)!r}: {reason}"


def test_a_file_system_without_a_write_ahead_log_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[explicit-override]  # none in 3.11
            return super().execute("SELECT 'delete'" if "journal_mode" in statement else statement)

    monkeypatch.setattr(
        schema, "connect", lambda path, wait: sqlite3.connect(path, isolation_level=None, factory=Connection)
    )

    with pytest.raises(ConfigurationError, match="local disk"):
        SqliteStorage(path)
