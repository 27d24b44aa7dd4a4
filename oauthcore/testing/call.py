"""A call of a storage: what is asked, what is handed over, and whether the answer is of the sort that was promised."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from oauthcore.flow.outcome import Change, Replace
from oauthcore.jose.strict_json import is_integer
from oauthcore.records.record import Record
from oauthcore.testing.telling import commit_in_words, worded

T = TypeVar("T")


@attrs.frozen
class Call:
    """Ask for one call of a storage, or for its connections to be cut."""

    name: str
    arguments: tuple[Any, ...] = ()

    def in_words(self) -> str:
        """Say in a line what is asked."""
        if self.name == "commit":
            return commit_in_words(self.arguments[0])
        words = (part.__name__ if isinstance(part, type) else worded(part) for part in self.arguments)
        return " ".join((self.name, *words))

    def records(self) -> list[Record]:
        """Return the records that are handed over."""
        return [record for change in self.arguments[0] for record in _records(change)] if self.name == "commit" else []

    def check(self, answer: Any) -> None:
        """Raise `Misfit` for an answer that is not of the sort that a storage gives to this call."""
        match self.name:
            case "find" if not (answer is None or isinstance(answer, self.arguments[0])):
                raise Misfit(f"find gave {_sort(answer)}: it has to be a {self.arguments[0].__name__}, or None")
            case "find_of" if not isinstance(answer, Sequence):
                raise Misfit(f"find_of gave {_sort(answer)}: it has to be a list of records, empty if there are none")
            case "commit" if not (answer is True or answer is False):
                raise Misfit(f"commit gave {answer!r}: it has to be True or False")
            case "purge" if not is_integer(answer):
                raise Misfit(f"purge gave {answer!r}: it has to be how many records it removed")


class Misfit(AssertionError):
    """Be raised for an answer of the wrong sort."""


@attrs.frozen
class Raised:
    """Hold what a call raised, where a clause wants to know it rather than to end."""

    error: Exception

    def in_words(self) -> str:
        """Say in a line what it was."""
        return f"{type(self.error).__name__}: {self.error}"


Script: TypeAlias = Generator[Call, Any, T]
"""What one contender does: it yields calls and is resumed with their answers."""

SEVER = Call("sever")


def _records(change: Change) -> tuple[Record, ...]:
    return (change.old, change.new) if isinstance(change, Replace) else (change.record,)


def _sort(answer: Any) -> str:
    return "None" if answer is None else f"a {type(answer).__name__}"
