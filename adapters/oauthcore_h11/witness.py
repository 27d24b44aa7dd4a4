"""A witness: the checks that a decision runs, observed from outside.

The checks of the core are rows of tables (`oauthcore.check`). The functions that were called, and those that returned,
show which checks passed and which one refused. Observing calls costs time, so it is done in replays and never for
requests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any, get_args, get_origin

import attrs

from oauthcore.authorization import checks as of_authorization
from oauthcore.check import Check
from oauthcore.documents import DocumentNeeded
from oauthcore.endpoints import checks as of_endpoints
from oauthcore.errors import OAuthError
from oauthcore.flow.effects import Effect
from oauthcore.wire.http import Response

# By their code, which is what a profiler sees of a function.
ROWS: tuple[Check[Any], ...] = (*of_authorization.CHECKS, *of_endpoints.CHECKS)
CHECKS: dict[CodeType, Check[Any]] = {check.function.__code__: check for check in ROWS}
_EFFECTS = tuple(get_origin(kind) or kind for kind in get_args(Effect))
_REFUSE = OAuthError.__init__.__code__
_WAIT = DocumentNeeded.__init__.__code__


@attrs.frozen
class EffectSeen:
    """Say that a question was asked, counted from 0."""

    number: int


@attrs.frozen
class Passed:
    """Name a check by what holds when it has passed, with the section; `reason` is why it refused, if it did."""

    name: str
    section: str
    reason: str = attrs.field(default="", eq=False)


@attrs.define
class Witness:
    """See a decision being made."""

    observed: list[EffectSeen | Passed] = attrs.field(factory=list)
    refusals: list[Passed] = attrs.field(factory=list)
    _effects: list[object] = attrs.field(factory=list)
    _refusing: set[FrameType] = attrs.field(factory=set)

    def watch(self, play: Callable[[], Response]) -> Response:
        """Watch a decision."""
        before = sys.getprofile()
        sys.setprofile(self._see)
        try:
            return play()
        finally:
            sys.setprofile(before)
            self._refusing.clear()

    def refusal(self, response: Response) -> Passed | None:
        """Return the check that refused, if one did."""
        if response.refusal is None:
            return None
        reason = response.refusal.reason
        return next((refusal for refusal in reversed(self.refusals) if refusal.reason == reason), None)

    # No tracer follows what a profiler calls, so none can tell that these are run; the stories in the tests can.
    def _see(self, frame: FrameType, event: str, value: Any) -> None:  # pragma: no cover
        if event == "call" and frame.f_code is _REFUSE:
            self._see_refusal(frame)
        elif event == "call" and frame.f_code is _WAIT:  # those that wait for it are made once more, with it
            self._refusing.update(_above(frame))
        elif event == "return" and frame.f_code in CHECKS:
            self._see_return(frame, value)
        elif event == "return" and isinstance(value, _EFFECTS) and not any(value is effect for effect in self._effects):
            self.observed.append(EffectSeen(len(self._effects)))
            self._effects.append(value)

    def _see_return(self, frame: FrameType, value: Any) -> None:  # pragma: no cover
        is_pause = frame.f_code.co_flags & CO_GENERATOR and isinstance(value, _EFFECTS)
        passed = _named(CHECKS[frame.f_code])
        if not is_pause and frame not in self._refusing and passed not in self.observed:
            self.observed.append(passed)

    def _see_refusal(self, frame: FrameType) -> None:  # pragma: no cover
        deciding = tuple(_above(frame))
        self._refusing.update(deciding)
        check = next((CHECKS[one.f_code] for one in deciding if one.f_code in CHECKS), None)
        kind, reason = type(frame.f_locals["self"]), str(frame.f_locals.get("reason", ""))
        refused = Passed(kind.__name__, "RFC 6749 section 5.2") if check is None else _named(check)
        self.refusals.append(attrs.evolve(refused, reason=reason))


def _above(frame: FrameType) -> Iterator[FrameType]:  # pragma: no cover
    """Return the frames of the decision that is being made in a frame, the innermost first."""
    above = frame.f_back
    while above is not None and above.f_globals.get("__name__") != "oauthcore.flow.transact":
        yield above
        above = above.f_back


def _named(check: Check[Any]) -> Passed:
    return Passed(check.name, check.section)
