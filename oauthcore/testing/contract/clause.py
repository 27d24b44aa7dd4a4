"""A clause: one promise that a storage makes, and how it is put to the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest import SkipTest

import attrs

from oauthcore.records import Record
from oauthcore.testing.samples import record_kinds
from oauthcore.testing.stage import Factory, Stage

# As much of a story as fits on a screen; the end is where it went wrong.
LINES = 60


@attrs.frozen(kw_only=True)
class Terms:
    """Say how much is tried: which kinds of records, how many contenders in how many rounds, how many examples."""

    kinds: Sequence[type[Record]] = attrs.field(factory=record_kinds)
    contenders: int = 8
    rounds: int = 10
    examples: int = 25


class ClauseBroken(AssertionError):
    """Tell which clause a storage breaks, how, and by which calls in which order."""

    def __init__(self, clause: Clause, reason: str, story: Sequence[str]) -> None:
        shown = [f"    {line}" for line in story[-LINES:]]
        if len(story) > LINES:
            shown.insert(0, f"    … after {len(story) - LINES} other calls")
        told = "\n".join(shown) or "    nothing"
        super().__init__(f"{clause.name} is broken.\n  Promised: {clause.promise}\n  But: {reason}\n  Asked:\n{told}")
        self.clause = clause
        self.story = tuple(story)


class NotOffered(SkipTest):
    """Leave a clause out whose hook the storage does not offer; pytest reports it as skipped."""


@attrs.frozen
class Clause:
    """Hold one promise; `check` it over a fresh storage."""

    name: str
    promise: str
    play: Callable[[Stage, Terms], None] = attrs.field(repr=False)

    @classmethod
    def of(cls, play: Callable[[Stage, Terms], None]) -> Clause:
        """Make a clause of a function: its name, and the promise in its docstring."""
        return cls(play.__name__, (play.__doc__ or "").partition("\n")[0], play)

    def check(self, factory: Factory, terms: Terms | None = None) -> None:
        """Raise `ClauseBroken` where the storage breaks this clause, `NotOffered` where it can't be told."""
        story: list[str] = []
        try:
            with Stage(factory) as stage:
                story = stage.story
                self.play(stage, terms or Terms())
        except SkipTest:
            raise
        except Exception as failure:
            reason = str(failure) if isinstance(failure, AssertionError) else f"{type(failure).__name__}: {failure}"
            raise ClauseBroken(self, reason, story) from failure

    def __str__(self) -> str:  # type: ignore[explicit-override]  # none in 3.11
        return self.name
