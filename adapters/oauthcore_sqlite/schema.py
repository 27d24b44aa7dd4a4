"""The database file: how it is opened, what is in it, and how an older one is brought up to date.

One table holds every kind of record, as text. A kind more, or a field more with a default, is no change of the schema.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from oauthcore.errors import ConfigurationError

Synchronous = Literal["FULL", "NORMAL"]

# "oaut": what tells `file`, and this module, whose database it is (SQLite, PRAGMA application_id).
APPLICATION_ID = 0x6F617574

# Each brings a database from its index's version to the next; what has been released is never changed.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE record (
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            subject TEXT,
            expires_at INTEGER,
            body TEXT NOT NULL,
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX record_by_subject ON record (subject, kind) WHERE subject IS NOT NULL",
        "CREATE INDEX record_by_expiry ON record (expires_at) WHERE expires_at IS NOT NULL",
    ),
)
VERSION = len(MIGRATIONS)


def prepare(path: Path, wait: float) -> None:
    """Make the file what it should be: there, readable by its owner alone, in WAL mode, of this version.

    Raises `ConfigurationError` for a file that is no database of oauthcore's, or one of a newer version.
    """
    try:
        # Persons and what they authorized are in it. SQLite gives its -wal and -shm files the same mode.
        # No file is opened here but one that is made just now: to close it would drop the locks that SQLite holds on it
        # in this process, and others would then write where this one does (SQLite, How To Corrupt, section 2.2).
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(path, wait)) as connection:
            check_owner(connection, path)
            # Persistent: it is a property of the file (SQLite, Write-Ahead Logging, section 3.3).
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise ConfigurationError(
                    "storage", str(path), "put it on a local disk; SQLite's write-ahead log needs one"
                )
            migrate(connection, path)
    except (OSError, sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        remedy = f"it can't be opened: {reason(error)}; name a database that the server may write to"
        raise ConfigurationError("storage", str(path), remedy) from None


def reason(error: Exception) -> str:
    """Return an exception's own words, without the path that the setting names anyway."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse the database of another application before anything in it is changed."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application_id != APPLICATION_ID and (application_id != 0 or tables):
        raise ConfigurationError("storage", str(path), "it is another program's database; name another file")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to this version, or leave it as it was."""
    connection.execute("BEGIN IMMEDIATE")  # another worker may be doing the same: the second one finds it done
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise ConfigurationError("storage", str(path), "a newer oauthcore has made it; update this one")
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def connect(path: Path, wait: float) -> sqlite3.Connection:
    """Open the file, which is there; `wait` is for how many seconds another process's transaction is waited for."""
    # mode=rw: a file that was removed meanwhile is an error, and not an empty database (SQLite, URI filenames).
    # No implicit transactions: they are begun and ended here by name. Closing may be another thread's part.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=wait,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=32,
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another process's lock is why something failed (SQLite, Result and Error Codes)."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF == sqlite3.SQLITE_BUSY


def connect_reader(path: Path, wait: float) -> sqlite3.Connection:
    """Open the file for finding alone."""
    connection = connect(path, wait)
    connection.execute("PRAGMA query_only = ON")
    return connection


def connect_writer(path: Path, wait: float, synchronous: Synchronous) -> sqlite3.Connection:
    """Open the file for committing; with FULL, what is committed is on the disk (SQLite, PRAGMA synchronous)."""
    connection = connect(path, wait)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection
