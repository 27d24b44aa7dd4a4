"""Options that several commands have, and how commands say what they did: to people, or with `--json` to programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

Config: TypeAlias = Annotated[
    Path, Parameter(name=("--config", "-c"), env_var="OAUTHCORE_CONFIG", help="The configuration file.")
]
Json: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Say it as one line of JSON.")]

DEFAULT_CONFIG = Path("oauthcore.toml")


def say(members: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    """Say what was done, and let a reader of a pipe have it at once."""
    sys.stdout.write((json.dumps(members) if as_json else sentence) + "\n")
    sys.stdout.flush()


def show(rows: Iterable[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Show a list: a table for people, one JSON array for programs."""
    listed = list(rows)
    if as_json:
        sys.stdout.write(json.dumps(listed) + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in listed:
        table.add_row(*(Text(cell(row[column])) for column in columns))
    # A pipe has no width, and must not have its lines broken at one.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def cell(value: object) -> str:
    """Spell a value for a table."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(str, value))
        case _:
            return str(value)


def moment(seconds: int | None) -> str | None:
    """Spell seconds since the epoch for people and programs alike (RFC 3339, UTC)."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
