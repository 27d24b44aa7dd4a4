"""A trace: one request and what was decided about it, as JSON that holds no secret."""

from __future__ import annotations

import json
import re
from typing import Any

import attrs

from oauthcore.jose.strict_json import is_time, read_json, same_value
from oauthcore.trace.placeholders import Placeholders
from oauthcore.trace.replayed_inputs import Recorded

VERSION = 2


@attrs.frozen
class Step:
    """Hold one effect and its answer, both encoded, or why there was none."""

    effect: Any
    answer: Any = None
    failed: str | None = None


@attrs.frozen(kw_only=True)
class Trace:
    """Hold one decision: what was asked, the settings, each effect with its answer, time, chance, and the response.

    `call` is the server's method, and `request` what it was given: a request of `handle`, the handle of the others.

    Secrets are replaced by stand-ins, consistently, so that a replay comes to the same decision; digests are as they
    were. Who the person is, which client asked, and what it asked for is in it. So is what was wrong with each token
    that was verified (None if nothing was), what each handle carried (None if nothing), what was known of other
    servers' documents (None if they had to be fetched, followed by `known` or `later` where they then were not), and
    the public halves of the server's own keys, each time in the order in which it was asked for.
    """

    settings: dict[str, Any]
    clock: list[float]
    entropy: list[int]
    digests: list[tuple[str, str]]
    derived: list[tuple[str, str]]
    handles: list[tuple[str, Any]]
    signed: list[Recorded]
    verified: list[tuple[str, str | None]]
    documents: list[tuple[str, Any]]
    algorithms: list[str] | None
    keys: list[Recorded]
    call: str
    request: dict[str, Any]
    login: Any
    steps: list[Step]
    response: dict[str, Any]
    stand_ins: list[str] = attrs.field(repr=False)

    def dump(self) -> str:
        """Return its JSON."""
        return json.dumps({"version": VERSION, **attrs.asdict(self)}, indent=1, ensure_ascii=True)

    @classmethod
    def load(cls, text: str) -> Trace:
        """Read its JSON; raises `ValueError` for what is no trace of this version."""
        try:
            members = read_json(text)
        except ValueError as error:
            raise ValueError(f"this is no trace: it is no JSON, or not all of it ({error})") from None
        if not isinstance(members, dict) or "version" not in members:
            raise ValueError("this is no trace: it is JSON, and names no version")
        # The version first: of another one nobody knows what else has to be in it.
        if not same_value(version := members.pop("version"), VERSION):
            raise ValueError(f"this is a trace of version {version}, and this kit reads version {VERSION}")
        _check_shape(members)
        return cls(**members | {"steps": [Step(**step) for step in members["steps"]]})

    def scrubbed(self, placeholders: Placeholders) -> Trace:
        """Return it with whatever is left of a secret replaced, wherever it is but in the settings."""
        members = json.loads(self.dump())
        scrubbed = {name: _scrubbed(value, placeholders) for name, value in members.items() if name != "settings"}
        return Trace.load(json.dumps(members | scrubbed))


def _scrubbed(value: Any, placeholders: Placeholders) -> Any:
    """Scrub whatever is a text, but for the names of members and of classes: those are the kit's own words."""
    if isinstance(value, str):
        return placeholders.scrubbed(value)
    if isinstance(value, list):
        return [_scrubbed(member, placeholders) for member in value]
    if isinstance(value, dict):
        return {
            name: member if _is_name(name, member, value) else _scrubbed(member, placeholders)
            for name, member in value.items()
        }
    return value


def _is_name(name: str, member: Any, beside: dict[str, Any]) -> bool:
    """Return whether a member names a class, or what is in one."""
    if name == "name":
        return "enum" in beside
    return name in {"value", "enum", "type"} and isinstance(member, str) and _CLASS.fullmatch(member) is not None


_CLASS = re.compile(r"[\w.]+:[\w.]+", re.ASCII)


# What each member is, as JSON; `login` may be anything that was encoded, and a server without keys has no algorithms.
_SHAPE: dict[str, type] = {
    "settings": dict,
    "clock": list,
    "entropy": list,
    "digests": list,
    "derived": list,
    "handles": list,
    "signed": list,
    "verified": list,
    "documents": list,
    "algorithms": object,
    "keys": list,
    "call": str,
    "request": dict,
    "login": object,
    "steps": list,
    "response": dict,
    "stand_ins": list,
}
_STEP = {"effect", "answer", "failed"}


def _check_shape(members: dict[str, Any]) -> None:
    if missing := _SHAPE.keys() - members.keys():
        raise ValueError(f"this is no trace: it has no {', '.join(sorted(missing))}")
    if unknown := members.keys() - _SHAPE.keys():
        raise ValueError(f"this is no trace of version {VERSION}: it has {', '.join(sorted(unknown))}")
    for name, kind in _SHAPE.items():
        if not isinstance(members[name], kind):
            raise ValueError(f"this is no trace: its {name} is no {kind.__name__}")
    if not all(is_time(reading) for reading in members["clock"]):
        raise ValueError("this is no trace: its clock is no list of numbers")
    for name in ("digests", "derived", "handles", "verified", "documents"):
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in members[name]):
            raise ValueError(f"this is no trace: its {name} are no pairs")
    if not all(isinstance(step, dict) and step.keys() == _STEP for step in members["steps"]):
        raise ValueError("this is no trace: one of its steps is none")
