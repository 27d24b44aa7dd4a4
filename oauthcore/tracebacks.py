"""Tracebacks: which failures of a storage are logged with one, so that an outage does not fill the log.

The first failure of a cause is logged with its traceback, and then one a minute, with the number of repetitions. All
others are one line. The caller passes the time.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Hashable

import attrs

# Seconds: a storage that is away fails each request, and its traceback is 12 KB of the same each time.
TRACEBACK_EVERY = 60.0
# The number of causes that are remembered; failures with further causes are logged without a traceback.
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
    """Return whether a traceback may be shown again; also where the clock was set back."""
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
    """Return a failure in one line, with its cause, if that is another exception."""
    origin = origin_of(failure)
    return named(failure) if origin is failure else f"{named(failure)} (from {named(origin)})"


def named(failure: BaseException) -> str:
    """Name an exception by its kind and the beginning of its words: some have whole statements in them."""
    return f"{type(failure).__name__}: {failure}"[:200]
