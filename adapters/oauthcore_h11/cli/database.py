"""`oauthcore db`: the tables of a database, which only its operator changes."""

from __future__ import annotations

import os
from pathlib import Path

from cyclopts import App

from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, say
from oauthcore_h11.configuration import read
from oauthcore_h11.engines import Schema, engine_of

database = App(name="db", help="Upgrade the tables of a database, and check them.")

NOTHING = "Nothing to do: this storage has no tables, or upgrades them by itself."


@database.command
def upgrade(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Create the tables or upgrade them; run this before a new version serves."""
    schema = schema_of(config)
    if schema is not None:
        schema.upgrade()
    tell(schema, as_json=as_json)


@database.command
def current(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Print the revision of the tables."""
    tell(schema_of(config), as_json=as_json)


@database.command
def check(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Compare the tables with those that this version needs; exit with 1 if they differ."""
    schema = schema_of(config)
    found = [] if schema is None else list(schema.differences())
    say({"differences": found}, "\n".join(found) or "The tables are what they should be.", as_json=as_json)
    if found:
        raise SystemExit(1)


def schema_of(config: Path) -> Schema | None:
    """Return the schema of the configured storage; None if it has none."""
    configuration = read(config, os.environ)
    return engine_of(configuration).schema(configuration)


def tell(schema: Schema | None, *, as_json: bool) -> None:
    """Print the revision of a schema."""
    revision = None if schema is None else schema.current()
    sentence = (
        NOTHING if schema is None else f"The tables are at revision {revision}." if revision else "There are none."
    )
    say({"revision": revision}, sentence, as_json=as_json)
