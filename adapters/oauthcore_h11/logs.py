"""The log: one line a record, for people or for programs, through the standard `logging`.

A record's `fields` (`extra={"fields": {...}}`) become members of the line. No query, body, header or cookie is ever
logged: that is where the secrets are.

The traceback of a failure is shown once, and then once a minute, with how often it has happened since, as `repeated`.
The lines in between have its words, as `failure`.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from oauthcore.tracebacks import Tracebacks, words_of

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Names the request that is being answered, in every line that is written meanwhile."""


class Lines(logging.Formatter):
    """Write a record as a line, with the traceback of a failure where that is new."""

    def __init__(self, tracebacks: Tracebacks | None = None) -> None:
        super().__init__()
        self._tracebacks = tracebacks or Tracebacks()

    def members_of(self, record: logging.LogRecord) -> tuple[dict[str, Any], str | None]:
        """Return a record's fields, and the traceback that is to be shown with it."""
        fields = fields_of(record)
        failure = record.exc_info[1] if record.exc_info else None
        if failure is None or record.exc_info is None:
            return fields, None
        repeated = self._tracebacks.repeated(failure, record.created)
        if repeated is None:
            return {**fields, "failure": words_of(failure)}, None
        shown = self.formatException(record.exc_info)
        return ({**fields, "repeated": repeated} if repeated else fields), shown


class JsonLines(Lines):
    """Write a record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return the line."""
        fields, shown = self.members_of(record)
        members: dict[str, Any] = {
            "time": written_at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields,
        }
        if shown is not None:
            members["traceback"] = shown
        return json.dumps(members, default=str)


class TextLines(Lines):
    """Write a record as a line of text, and its traceback below it."""

    def format(self, record: logging.LogRecord) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return the line."""
        members, shown = self.members_of(record)
        fields = "".join(f" {name}={spelled(value)}" for name, value in members.items())
        line = f"{written_at(record)} {record.levelname} {one_line(record.getMessage())}{fields}"
        return line if shown is None else f"{line}\n{shown}"


def written_at(record: logging.LogRecord) -> str:
    """Return when a record was made (RFC 3339, UTC, milliseconds)."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record's fields that say something, the request's name first."""
    named = {"request_id": request_id.get()}
    return {name: value for name, value in {**named, **getattr(record, "fields", {})}.items() if value is not None}


def spelled(value: object) -> str:
    """Spell a field's value so that it is one word or in quotes."""
    text = str(value)
    return text if text and text.isascii() and text.isprintable() and not set(text) & set(' "=') else json.dumps(text)


def one_line(text: str) -> str:
    """Keep a message on one line: text from a request must not be able to forge another entry."""
    return text if text.isprintable() else json.dumps(text)[1:-1]


def set_up(*, json_lines: bool, level: str) -> None:
    """Send everything that is logged to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if json_lines else TextLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Their own lines at level info tell nothing that ours don't.
    for talkative in ("asyncio", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
