"""A check as a row of a table, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeAlias

import attrs

from oauthcore_doctor.observations import Observations

Look: TypeAlias = Callable[[Observations], Iterable[str]]


class Severity(Enum):
    """Say what a finding costs."""

    # Clients fail, or an attacker gains something.
    ERROR = "error"
    # Some clients fail, or what a standard recommends is not done.
    WARNING = "warning"
    # It may be meant.
    NOTE = "note"


@attrs.frozen
class Check:
    """Be one row: `look` returns a sentence for each fault that it sees."""

    id: str
    severity: Severity
    title: str
    section: str
    matters_to: str
    remedy: str
    look: Look = attrs.field(repr=False)


@attrs.frozen
class Finding:
    """Be one fault that a check has seen, in a sentence."""

    check: Check
    text: str
