"""Records in one SQLite file: WAL, full synchronisation, and one transaction for all commits that wait together."""

from oauthcore_sqlite.schema import Synchronous
from oauthcore_sqlite.storage import AsyncSqliteStorage, SqliteStorage

__all__ = ["AsyncSqliteStorage", "SqliteStorage", "Synchronous"]
