"""Effects, records and answers in words, for stories that a person reads; no secret is in them, by type."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from traceback import extract_tb
from typing import Any, cast
from zlib import crc32

import attrs

from oauthcore.digest import Secret
from oauthcore.flow.effects import Commit, Effect, Find, FindOf
from oauthcore.flow.outcome import Change, Replace
from oauthcore.records.record import Record
from oauthcore.wire.http import Response

# As long as a line may be, and as much of a value as is read.
WIDE = 110
LONG = 160


def effect_in_words(effect: Effect) -> str:
    """Say in a line what is asked, whatever effect it is."""
    if isinstance(effect, Find):
        return f"find {effect.kind.__name__} {short(effect.key)}"
    if isinstance(effect, FindOf):
        return f"find {effect.kind.__name__} of {effect.subject}"
    if isinstance(effect, Commit):
        return commit_in_words(effect.changes)
    words = (worded(getattr(effect, field.name)) for field in attrs.fields(type(effect)))
    return " ".join((type(effect).__name__.lower(), *words))


def commit_in_words(changes: Iterable[Change]) -> str:
    """Say in a line what is to be changed."""
    return "commit " + (", ".join(map(change_in_words, changes)) or "nothing")


def change_in_words(change: Change) -> str:
    """Say what one change is."""
    name = type(change).__name__
    if not isinstance(change, Replace):
        return f"{name}({brief(change.record)})"
    old, new = _state(change.old), _state(change.new)
    after = "" if old == new else new + " "
    return f"{name}({brief(change.old)} by {after}{_mark(change.new)})"


def brief(record: Record) -> str:
    """Name a record: its kind, its key, its state if it has one, and a mark that differs where records do."""
    words = (type(record).__name__, short(record.key), _state(record), _mark(record))
    return " ".join(word for word in words if word)


def _state(record: Record) -> str:
    state = getattr(record, "state", None)
    return str(state.value) if isinstance(state, Enum) else ""


def _mark(record: Record) -> str:
    return f"#{crc32(repr(record).encode()) & 0xFFFF:04x}"


def laid_out(lines: Iterable[str], indent: int) -> str:
    """Return lines under each other; one that is too long to be read is broken between the changes of its commit."""
    margin, deeper = " " * indent, "\n" + " " * (indent + 6)
    return "\n".join(margin + (line if len(line) <= WIDE else line.replace("), ", f"),{deeper}")) for line in lines)


def unlike(found: Record | None, expected: Record | None) -> str:
    """Say what was found and should have been: of two records of one kind, in which fields they differ."""
    if found is None or expected is None or type(found) is not type(expected):
        there, wanted = ("nothing" if record is None else brief(record) for record in (found, expected))
        return f"there is {there}, and should be {wanted}"
    kind = cast("type[attrs.AttrsInstance]", type(found))
    pairs = {field.name: (getattr(found, field.name), getattr(expected, field.name)) for field in attrs.fields(kind)}
    parts = (f"{name} {_cut(one)} and not {_cut(other)}" for name, (one, other) in pairs.items() if one != other)
    return f"the {brief(expected)} is there with {', '.join(parts)}"


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONG else f"{text[: LONG // 2]}…{text[-LONG // 2 :]} ({len(text)} characters)"


def short(key: str) -> str:
    """Return as much of a key as tells it from others: a digest needs no more, and a name is not cut."""
    return key[:8] if len(key) == 64 and key.isalnum() else key[-32:]


def outlined(answer: Any) -> str:
    """Say what the answer was."""
    if isinstance(answer, list | tuple):
        return "1 record" if len(answer) == 1 else f"{len(answer)} records"
    if isinstance(answer, Response):
        refusal = answer.refusal
        return f"{answer.status}" if refusal is None else f"{answer.status} {refusal.code}: {refusal.reason}"
    if attrs.has(type(answer)) and hasattr(answer, "key") and hasattr(answer, "expires_at"):
        return brief(answer)
    return worded(answer)


def reason_of(failure: BaseException) -> str:
    """Say why a check failed: in its own words, or by the line that failed where it has none."""
    frames = extract_tb(failure.__traceback__)
    text = str(failure) or (frames[-1].line if frames else "") or ""
    return text if isinstance(failure, AssertionError) else f"{type(failure).__name__}: {text}"


def worded(value: Any) -> str:
    """Say what a value is, and nothing of a secret, of bytes, or of what is long."""
    if isinstance(value, Secret):
        return "a secret"
    if value is None or isinstance(value, bool | int | Enum):
        return str(value)
    if isinstance(value, str):
        return value if len(value) <= 60 else f"{value[:40]}…"
    text = repr(value) if attrs.has(type(value)) else ""
    return text if 0 < len(text) <= 80 else type(value).__name__
