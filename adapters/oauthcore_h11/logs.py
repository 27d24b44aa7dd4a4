"""The log: one line a record, for people or for programs, through the standard `logging`.

A record's `fields` (`extra={"fields": {...}}`) become members of the line. No query, body, header or cookie is ever
logged: that is where the secrets are.

The traceback of a failure is shown once, and then once a minute, with how often it has happened since, as `repeated`.
The lines in between have its words, as `failure`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Hashable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import attrs

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Names the request that is being answered, in every line that is written meanwhile."""


# Seconds: a storage that is away fails each request, and its traceback is 12 KB of the same each time.
TRACEBACK_EVERY = 60.0
# So many causes are remembered: beyond, whoever makes up causes gets lines and no tracebacks.
CAUSES = 64
_NUMBERS = re.compile(r"0x[0-9a-f]+|[0-9]+")


@attrs.define
class Shown:
    """Remember when the traceback of a cause was shown, and how often it has happened since."""

    at: float
    repeated: int = 0


class Tracebacks:
    """Say which failures are shown with a traceback: the first of a cause, and then one a minute."""

    def __init__(self) -> None:
        self._shown: dict[Hashable, Shown] = {}

    def repeated(self, failure: BaseException, now: float) -> int | None:
        """Return how often it has happened since its traceback was shown, if that is due again; None if it is not."""
        cause = cause_of(failure)
        known = self._shown.get(cause)
        if known is not None and not is_over(known, now):
            known.repeated += 1
            return None
        if known is None and len(self._shown) >= CAUSES:
            self._shown = {old: shown for old, shown in self._shown.items() if not is_over(shown, now)}
            if len(self._shown) >= CAUSES:
                return None
        self._shown[cause] = Shown(now)
        return 0 if known is None else known.repeated


def is_over(shown: Shown, now: float) -> bool:
    """Tell whether a traceback may be shown again; also where the clock was set back."""
    return abs(now - shown.at) >= TRACEBACK_EVERY


def cause_of(failure: BaseException) -> Hashable:
    """Return what failures have in common that are the same one over and over again.

    It is the kind of exception that was raised first, its words but for numbers, and the line that raised it.
    """
    first = origin_of(failure)
    raised_at: tuple[str, int] | None = None
    for frame, line in traceback.walk_tb(first.__traceback__):
        raised_at = (frame.f_code.co_filename, line)
    return type(first), _NUMBERS.sub("0", str(first))[:200], raised_at


def origin_of(failure: BaseException) -> BaseException:
    """Return the exception that was raised first, of those that led to one another."""
    seen = {id(failure)}
    while (earlier := failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)) is not None:
        if id(earlier) in seen:
            break
        seen.add(id(earlier))
        failure = earlier
    return failure


def words_of(failure: BaseException) -> str:
    """Name a failure in a line, and what it came from, if that is something else."""
    origin = origin_of(failure)
    return named(failure) if origin is failure else f"{named(failure)} (from {named(origin)})"


def named(failure: BaseException) -> str:
    """Name an exception by its kind and the beginning of its words: some have whole statements in them."""
    return f"{type(failure).__name__}: {failure}"[:200]


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
    """Give when a record was made (RFC 3339, UTC, milliseconds)."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give a record's fields that say something, the request's name first."""
    named = {"request_id": request_id.get()}
    return {name: value for name, value in {**named, **getattr(record, "fields", {})}.items() if value is not None}


def spelled(value: object) -> str:
    """Spell a field's value so that it is one word or in quotes."""
    text = str(value)
    return text if text and text.isascii() and text.isprintable() and not set(text) & set(' "=') else json.dumps(text)


def one_line(text: str) -> str:
    """Keep a message from looking like two: whoever makes it may have been told what to say."""
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
