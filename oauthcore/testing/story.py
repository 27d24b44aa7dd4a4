"""The story of what was asked of a storage and answered, by one or by many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Text: TypeAlias = str | Callable[[], str]
"""What happened, or what puts it in words once somebody reads it: of thousands of stories only a failure is read."""

# In the place of an answer that came later, and of what had been asked; and where there never was an answer.
OVERLAPPED = "…"
UNANSWERED = "no answer"


class Story:
    """Write down what is asked and answered.

    A call that no other overlaps is one line. One that others do is two, where it began and where it was answered: so
    the lines are the schedule, as far as it is seen from outside of the storage.
    """

    def __init__(self) -> None:
        # It is only ever appended to while contenders are at it, which is one step on any thread.
        self._events: list[tuple[object, str, Text]] = []

    def begins(self, who: str, call: Text) -> object:
        """Note a request; return the mark that its response is to carry."""
        mark = object()
        self._events.append((mark, who, call))
        return mark

    def ends(self, mark: object, who: str, answer: Text) -> None:
        """Note how a call was answered."""
        self._events.append((mark, who, answer))

    def clear(self) -> None:
        """Forget what was before."""
        self._events.clear()

    def lines(self) -> list[str]:
        """Tell it."""
        events = [(mark, who, text if isinstance(text, str) else text()) for mark, who, text in self._events]
        last = {mark: number for number, (mark, *_) in enumerate(events)}
        first = {mark: number for number, (mark, *_) in reversed([*enumerate(events)])}
        lines = []
        for number, (mark, who, text) in enumerate(events):
            if number == first[mark]:
                answers = {number: UNANSWERED, number + 1: events[last[mark]][2]}
                lines.append(f"{who}{text} -> {answers.get(last[mark], OVERLAPPED)}")
            elif number > first[mark] + 1:
                lines.append(f"{who}{OVERLAPPED} -> {text}")
        return lines
