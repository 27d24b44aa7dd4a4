"""A witness: which checks a decision went through, seen from outside while it is made.

The core's functions name the section of the standard that they enforce in their docstrings. So whoever sees which of
them were called, and which of them came to an end, can say which checks passed and which one refused. That costs time
at every call, so it is done for a replay and never for a request.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any, get_args, get_origin

import attrs

from oauthcore.errors import OAuthError
from oauthcore.flow.effects import Effect
from oauthcore.wire.http import Response

# What decides; the rest carries values to and fro.
_ROOMS = re.compile(
    r"oauthcore\.(clients|grants|authorization|endpoints|oidc|pkce|redirect_uri|scope"
    r"|wire\.parameters|records\.liveness|resource\.bearer)\b"
)
_STANDARD = r"(?:RFC \d+|OIDC [A-Z][A-Za-z ]*?|Multiple Response Types|OAuth [0-9.]+)"
_SECTION = re.compile(_STANDARD + r" (?:sections?|appendix) [A-Z0-9.]*[A-Z0-9]")
# What a function says that may refuse; what only computes is no check, and not told as one that passed.
_CHECKING = frozenset({"Check", "Demand", "Find", "Match", "Prove", "Read", "Refuse", "Verify"})
_EFFECTS = tuple(get_origin(kind) or kind for kind in get_args(Effect))
_REFUSE = OAuthError.__init__.__code__


@attrs.frozen
class Asked:
    """Say that a question was asked, counted from 0."""

    number: int


@attrs.frozen
class Passed:
    """Name a check by what its function says of itself, with the section; `reason` is why it refused, if it did."""

    name: str
    section: str
    reason: str = attrs.field(default="", eq=False)

    @property
    def is_one(self) -> bool:
        """Tell whether the function checks at all, rather than to give or to make something."""
        return re.split(r"\W", self.name, maxsplit=1)[0] in _CHECKING


@attrs.define
class Witness:
    """See a decision being made."""

    heard: list[Asked | Passed] = attrs.field(factory=list)
    refusals: list[Passed] = attrs.field(factory=list)
    _asked: list[object] = attrs.field(factory=list)
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
        elif event == "return" and _ROOMS.match(frame.f_globals.get("__name__", "")):
            self._see_return(frame, value)
        elif event == "return" and isinstance(value, _EFFECTS) and not any(value is asked for asked in self._asked):
            self.heard.append(Asked(len(self._asked)))
            self._asked.append(value)

    def _see_return(self, frame: FrameType, value: Any) -> None:  # pragma: no cover
        is_pause = frame.f_code.co_flags & CO_GENERATOR and isinstance(value, _EFFECTS)
        if is_pause or (value is None and frame in self._refusing):
            return
        check = check_of(frame.f_code)
        if check is not None and check.is_one and check not in self.heard:
            self.heard.append(check)

    def _see_refusal(self, frame: FrameType) -> None:  # pragma: no cover
        reason, check = str(frame.f_locals.get("reason", "")), None
        refusing = frame.f_back
        while refusing is not None and refusing.f_globals.get("__name__") != "oauthcore.flow.transact":
            self._refusing.add(refusing)
            if check is None and _ROOMS.match(refusing.f_globals.get("__name__", "")):
                check = check_of(refusing.f_code)
            refusing = refusing.f_back
        kind = type(frame.f_locals["self"])
        check = check or _cited(kind.__doc__ or "") or Passed(kind.__name__, "RFC 6749 section 5.2")
        self.refusals.append(attrs.evolve(check, reason=reason))


def check_of(code: CodeType) -> Passed | None:
    """Return the check that a function is, if its docstring cites a section."""
    text = code.co_consts[0] if code.co_consts else None
    return _cited(text) if isinstance(text, str) else None


def _cited(text: str) -> Passed | None:
    section = _SECTION.search(text)
    if section is None:
        return None
    said = text.partition("\n")[0].partition("; raises `")[0]
    name = re.sub(r"\s*\([^)]*\)", "", said).strip().rstrip(".:")
    return Passed(name, section[0])
