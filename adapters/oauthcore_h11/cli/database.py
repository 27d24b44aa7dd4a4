"""`oauthcore db`: the tables of a database that others may use too, and that only its operator changes."""

from __future__ import annotations

import os
from pathlib import Path

from cyclopts import App

from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, say
from oauthcore_h11.configuration import read
from oauthcore_h11.engines import Schema, engine_of

database = App(name="db", help="Bring the tables of a database up to date, and look at them.")

NOTHING = "This storage needs none of it: it has no tables, or brings them up to date by itself."


@database.command
def upgrade(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make the tables, or bring them up to date; before a new version serves."""
    schema = schema_of(config)
    if schema is not None:
        schema.upgrade()
    tell(schema, as_json=as_json)


@database.command
def current(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Tell at which revision the tables are."""
    tell(schema_of(config), as_json=as_json)


@database.command
def check(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Check that the tables are what they should be; ends with 1 where they are not."""
    schema = schema_of(config)
    found = [] if schema is None else list(schema.differences())
    say({"differences": found}, "\n".join(found) or "The tables are what they should be.", as_json=as_json)
    if found:
        raise SystemExit(1)


def schema_of(config: Path) -> Schema | None:
    """Return the schema of the storage that the configuration names, if it has one."""
    configuration = read(config, os.environ)
    return engine_of(configuration).schema(configuration)


def tell(schema: Schema | None, *, as_json: bool) -> None:
    """Say at which revision a schema is."""
    revision = None if schema is None else schema.current()
    sentence = (
        NOTHING if schema is None else f"The tables are at revision {revision}." if revision else "There are none."
    )
    say({"revision": revision}, sentence, as_json=as_json)
