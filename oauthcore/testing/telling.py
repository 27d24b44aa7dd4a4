"""Effects, records and answers in words, for stories that a person reads; no secret is in them, by type."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, cast
from zlib import crc32

import attrs

from oauthcore.digest import Secret
from oauthcore.effects import Commit, Effect, Find, FindOf
from oauthcore.outcome import Change, Replace
from oauthcore.records import Record

# As much of a value as is read.
LONG = 160


def told(effect: Effect) -> str:
    """Say in a line what is asked, whatever effect it is."""
    if isinstance(effect, Find):
        return f"find {effect.kind.__name__} {short(effect.key)}"
    if isinstance(effect, FindOf):
        return f"find {effect.kind.__name__} of {effect.subject}"
    if isinstance(effect, Commit):
        return told_commit(effect.changes)
    words = (worded(getattr(effect, field.name)) for field in attrs.fields(type(effect)))
    return " ".join((type(effect).__name__.lower(), *words))


def told_commit(changes: Iterable[Change]) -> str:
    """Say in a line what is to be changed."""
    return "commit " + (", ".join(map(told_change, changes)) or "nothing")


def told_change(change: Change) -> str:
    """Say what one change is."""
    name = type(change).__name__
    if not isinstance(change, Replace):
        return f"{name}({brief(change.record)})"
    return f"{name}({brief(change.old)} by {brief(change.new).rpartition(' ')[2]})"


def brief(record: Record) -> str:
    """Name a record: its kind, its key, its state if it has one, and a mark that differs where records do."""
    state = getattr(record, "state", None)
    words = [type(record).__name__, short(record.key)]
    if isinstance(state, Enum):
        words.append(str(state.value))
    return f"{' '.join(words)} #{crc32(repr(record).encode()) & 0xFFFF:04x}"


def unlike(found: Record | None, expected: Record | None) -> str:
    """Say what was found and should have been: of two records of one kind, in which fields they differ."""
    if found is None or expected is None or type(found) is not type(expected):
        there, wanted = ("nothing" if record is None else brief(record) for record in (found, expected))
        return f"there is {there}, and should be {wanted}"
    kind = cast("type[attrs.AttrsInstance]", type(found))
    pairs = {field.name: (getattr(found, field.name), getattr(expected, field.name)) for field in attrs.fields(kind)}
    told = (f"{name} {_cut(one)} and not {_cut(other)}" for name, (one, other) in pairs.items() if one != other)
    return f"the {brief(expected)} is there with {', '.join(told)}"


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONG else f"{text[: LONG // 2]}…{text[-LONG // 2 :]} ({len(text)} characters)"


def short(key: str) -> str:
    """Give as much of a key as tells it from others: a digest needs no more, and a name is not cut."""
    return key[:8] if len(key) == 64 and key.isalnum() else key[-32:]


def outlined(answer: Any) -> str:
    """Say what the answer was."""
    if isinstance(answer, list | tuple):
        return f"{len(answer)} records"
    if attrs.has(type(answer)) and hasattr(answer, "key") and hasattr(answer, "expires_at"):
        return brief(answer)
    return worded(answer)


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
