"""Options that several commands share, and their output: text, or JSON with `--json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

Config: TypeAlias = Annotated[
    Path, Parameter(name=("--config", "-c"), env_var="OAUTHCORE_CONFIG", help="The configuration file.")
]
# One that exists, to be found. A random one may begin with a hyphen, as digests do.
Identifier: TypeAlias = Annotated[str, Parameter(allow_leading_hyphen=True)]
Json: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Print one line of JSON instead of text.")]

# What `demo` and `mock` listen on.
Port: TypeAlias = Annotated[int, Parameter(help="The port to listen on; 0 for any free port.")]
LoopbackHost: TypeAlias = Annotated[
    str,
    Parameter(help="The loopback host to listen on: localhost (IPv4 and IPv6), ::1 or an address in 127.0.0.0/8."),
]
ListeningJson: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one line of JSON once it listens: issuer and endpoints.")
]

DEFAULT_CONFIG = Path("oauthcore.toml")


def say(members: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    """Print what was done, flushed, so that a program can read it from a pipe at once."""
    sys.stdout.write((json.dumps(members) if as_json else sentence) + "\n")
    sys.stdout.flush()


def show(rows: Iterable[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a list: a table, or with `as_json` one JSON array."""
    listed = list(rows)
    if as_json:
        sys.stdout.write(json.dumps(listed) + "\n")
        return
    # Imported here: it takes a sixth of the start of a command, and few print a table.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in listed:
        table.add_row(*(Text(cell(row[column])) for column in columns))
    # A pipe has no width, so lines must not be wrapped at one.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def cell(value: object) -> str:
    """Format a value for a table."""
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
    """Format seconds since the epoch as in RFC 3339, in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
