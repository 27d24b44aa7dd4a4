"""Checks as rows of a table, and their findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeAlias

import attrs

from oauthcore_doctor.observations import Observations

Look: TypeAlias = Callable[[Observations], Iterable[str]]


class Severity(Enum):
    """The severity of a finding."""

    # Clients fail, or an attacker gains something.
    ERROR = "error"
    # Some clients fail, or what a standard recommends is not done.
    WARNING = "warning"
    # It may be intended.
    NOTE = "note"


@attrs.frozen
class Check:
    """A row: `look` returns a sentence for each fault that it sees."""

    id: str
    severity: Severity
    title: str
    section: str
    matters_to: str
    remedy: str
    look: Look = attrs.field(repr=False)


MAX_TEXT = 1_000


def printable(text: str) -> str:
    """Return a text without control characters, for a terminal, and of limited length.

    A server could otherwise send escape sequences, in its issuer say, to the operator's terminal.
    """
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else shown + "…"


@attrs.frozen
class Finding:
    """A fault that a check has found, in one sentence."""

    check: Check
    text: str = attrs.field(converter=printable)
