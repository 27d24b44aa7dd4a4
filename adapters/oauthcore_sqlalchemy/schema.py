"""The schema: migrate a database, find its revision, and find differences from what is expected.

Each function works on a connection that the caller has opened, and the caller commits; so an application may call them
beside its own migrations.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import attrs
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from oauthcore.errors import ConfigurationError
from oauthcore_sqlalchemy.address import engine_for_command, shown, unusable
from oauthcore_sqlalchemy.storage import begin_in_sqlite
from oauthcore_sqlalchemy.table import metadata, record

T = TypeVar("T")

VERSION_TABLE = "oauthcore_alembic_version"
NEWER = "a newer oauthcore has made its schema; update this one"

# What PostgreSQL's advisory lock is called: the first eight letters of this program's name.
(_LOCK,) = struct.unpack(">q", b"oauthcor")
_WAIT = 60


def upgrade(connection: Connection) -> None:
    """Bring the schema up to this version. Of several processes that do so at once one does it, and the others wait.

    Raises `ConfigurationError` for a schema that a newer version has made.
    """
    with _alone(connection):
        if is_newer(current(connection)):
            raise ConfigurationError("storage", shown(str(connection.engine.url)), NEWER)
        command.upgrade(_configuration(connection), "head")


def current(connection: Connection) -> str | None:
    """Return the revision that the schema is at; None if there is none."""
    return _context(connection).get_current_revision()


def head() -> str | None:
    """Return the revision that this version needs."""
    return ScriptDirectory.from_config(_configuration(None)).get_current_head()


def is_newer(revision: str | None) -> bool:
    """Return whether a revision is unknown to this version."""
    known = ScriptDirectory.from_config(_configuration(None)).walk_revisions()
    return revision is not None and revision not in {script.revision for script in known}


def differences(connection: Connection) -> list[str]:
    """Return the differences from what this version needs; empty if there are none."""
    found = current(connection)
    if found != head():
        return [f"it is at revision {found}, and has to be at {head()}"]
    return [str(difference) for difference in compare_metadata(_context(connection), metadata)]


@attrs.frozen
class Schema:
    """The schema of the database that a URL names, for who has no connection open."""

    url: str = attrs.field(repr=False)

    def upgrade(self) -> None:
        """Bring it up to date."""
        self._on_connection(upgrade)

    def current(self) -> str | None:
        """Return its revision, or None if there is none."""
        return self._on_connection(current)

    def differences(self) -> Sequence[str]:
        """Return the differences from the expected schema."""
        return self._on_connection(differences)

    def _on_connection(self, act: Callable[[Connection], T]) -> T:
        engine = engine_for_command(self.url)
        try:
            with engine.begin() as connection:
                return act(connection)
        except SQLAlchemyError as error:
            raise unusable(self.url, error) from None
        finally:
            engine.dispose()


def check_revision(connection: Connection, url: str) -> None:
    """Raise `ConfigurationError` where the schema is not at the revision that this version needs."""
    found = current(connection)
    if found != head():
        behind = f"its schema is at revision {found}, and has to be at {head()}: run oauthcore db upgrade"
        remedy = NEWER if is_newer(found) else behind
        raise ConfigurationError("storage", shown(url), remedy)


def _context(connection: Connection) -> MigrationContext:
    def is_ours(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or name == record.name

    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "include_name": is_ours})


def _configuration(connection: Connection | None) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", "oauthcore_sqlalchemy:migrations")
    configuration.attributes["connection"] = connection
    return configuration


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep other processes from migrating at the same time."""
    match connection.dialect.name:
        case "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _LOCK})
            yield
        case "mysql" | "mariadb":
            # A lock of the session's, since each of MySQL's changes to the schema ends the transaction.
            got = connection.execute(text("SELECT GET_LOCK('oauthcore', :wait)"), {"wait": _WAIT}).scalar_one()
            if got != 1:
                remedy = "another process migrates it, and has not come to an end; try again later"
                raise ConfigurationError("storage", shown(str(connection.engine.url)), remedy)
            try:
                yield
            finally:
                connection.execute(text("SELECT RELEASE_LOCK('oauthcore')"))
        case _:
            begin_in_sqlite(connection, "BEGIN IMMEDIATE")
            yield
