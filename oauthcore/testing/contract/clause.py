"""A clause: one promise that a storage makes, and how it is put to the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest import SkipTest

import attrs

from oauthcore.records.record import Record
from oauthcore.testing.samples import record_kinds
from oauthcore.testing.storage_probe import Factory, Raised, StorageProbe
from oauthcore.testing.telling import laid_out

# As much of a story as fits on a screen.
LINES = 60


@attrs.frozen(kw_only=True)
class Terms:
    """Say how much is tried: which kinds of records, how many contenders in how many rounds, how many examples."""

    kinds: Sequence[type[Record]] = attrs.field(factory=record_kinds)
    contenders: int = 8
    rounds: int = 10
    examples: int = 25


class ClauseBroken(AssertionError):
    """Report which clause a storage breaks, how, and by which calls in which order."""

    def __init__(self, clause: Clause, reason: str, story: Sequence[str]) -> None:
        self.clause = clause
        self.reason = reason
        self.story = tuple(story)
        super().__init__(self.in_words(LINES))

    def in_words(self, lines: int) -> str:
        """Tell it, with the end of the story, which is where it went wrong."""
        shown = [*self.story[-lines:]] or ["nothing"]
        if len(self.story) > lines:
            shown.insert(0, f"… after {len(self.story) - lines} other lines")
        text = [f"{self.clause} is broken.", f"  Promised: {self.clause.promise}", f"  But: {self.reason}", "  Asked:"]
        return "\n".join((*text, laid_out(shown, 4)))


class NotOffered(SkipTest):
    """Leave a clause out whose hook the storage does not offer; pytest reports it as skipped."""


@attrs.frozen
class Clause:
    """Hold one promise; `check` it over a fresh storage."""

    name: str
    promise: str
    play: Callable[[StorageProbe, Terms], None] = attrs.field(repr=False)

    @classmethod
    def of(cls, play: Callable[[StorageProbe, Terms], None]) -> Clause:
        """Make a clause of a function: its name, and the promise in its docstring."""
        return cls(play.__name__, (play.__doc__ or "").partition("\n")[0], play)

    def check(self, factory: Factory, terms: Terms | None = None) -> None:
        """Raise `ClauseBroken` where the storage breaks this clause, `NotOffered` where it can't be told.

        What the factory raises is raised as it is, and `TypeError` where it gives no storage: no clause is broken then.
        """
        with StorageProbe(factory) as probe:
            try:
                self.play(probe, terms or Terms())
            except SkipTest:
                raise
            except Exception as failure:  # a storage may raise what it likes: it breaks the clause
                reason = str(failure) if isinstance(failure, AssertionError) else Raised(failure).in_words()
                raise ClauseBroken(self, reason, probe.story) from failure

    def __str__(self) -> str:  # type: ignore[explicit-override]  # none in 3.11
        return self.name
