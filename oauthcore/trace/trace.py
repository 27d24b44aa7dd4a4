"""A trace: one request and the decision about it, as JSON without secrets."""

from __future__ import annotations

import json
import re
from typing import Any

import attrs

from oauthcore.jose.strict_json import is_time, read_json, same_value
from oauthcore.trace.placeholders import Placeholders
from oauthcore.trace.replayed_inputs import Recorded

VERSION = 4


@attrs.frozen
class Step:
    """Hold one effect and its answer, both encoded, or the reason why it failed."""

    effect: Any
    answer: Any = None
    failed: str | None = None


@attrs.frozen(kw_only=True)
class Trace:
    """Hold one decision: request, settings, each effect with its answer, clock, draws, and the response.

    `call` is the server's method, and `request` its argument: a request for `handle`, a handle for the others.

    Secrets are replaced by placeholders, consistently, so that a replay comes to the same decision; digests are kept.
    The user, the client and what it requested can be read in a trace. These are recorded in the order of their use: the
    flaw of each verified token (None if it was good), what each handle carried (None if it could not be read), the
    texts that were encrypted, and those that were opened (None if that failed), the known documents of other servers
    (None if one had to be fetched, followed by `known` or `later` if it then was not), the claims that the host's
    function added, and the public keys of the server.
    """

    settings: dict[str, Any]
    clock: list[float]
    entropy: list[int]
    digests: list[tuple[str, str]]
    derived: list[tuple[str, str]]
    handles: list[tuple[str, Any]]
    sealed: list[tuple[str, str]]
    unsealed: list[tuple[str, str | None]]
    signed: list[Recorded]
    verified: list[tuple[str, str | None]]
    documents: list[tuple[str, Any]]
    extra_claims: list[Recorded]
    algorithms: list[str] | None
    keys: list[Recorded]
    call: str
    request: dict[str, Any]
    login: Any
    steps: list[Step]
    response: dict[str, Any]
    stand_ins: list[str] = attrs.field(repr=False)

    def dump(self) -> str:
        """Return the trace as JSON."""
        return json.dumps({"version": VERSION, **attrs.asdict(self)}, indent=1, ensure_ascii=True)

    @classmethod
    def load(cls, text: str) -> Trace:
        """Return the trace that the JSON describes; raises `ValueError` if it is not a trace of this version."""
        try:
            members = read_json(text)
        except ValueError as error:
            raise ValueError(f"not a trace: it is not JSON, or is cut off ({error})") from None
        if not isinstance(members, dict) or "version" not in members:
            raise ValueError("not a trace: it is JSON without a version")
        # The version first: the members of another version are unknown here.
        if not same_value(version := members.pop("version"), VERSION):
            raise ValueError(f"it is a trace of version {version}; this version of oauthcore reads version {VERSION}")
        _check_shape(members)
        return cls(**members | {"steps": [Step(**step) for step in members["steps"]]})

    def scrubbed(self, placeholders: Placeholders) -> Trace:
        """Return the trace with every known secret replaced wherever it is, except in the settings."""
        # Without `indent`, JSON is written in C: a recording server does this for each request.
        members = json.loads(json.dumps({"version": VERSION, **attrs.asdict(self)}))
        scrubbed = {name: _scrubbed(value, placeholders) for name, value in members.items() if name != "settings"}
        return Trace.load(json.dumps(members | scrubbed))


def _scrubbed(value: Any, placeholders: Placeholders) -> Any:
    """Scrub every text except names of members and classes, which are the core's own words."""
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
    """Return whether a member is the name of a class, or of a member of one."""
    if name == "name":
        return "enum" in beside
    return name in {"value", "enum", "type"} and isinstance(member, str) and _CLASS.fullmatch(member) is not None


_CLASS = re.compile(r"[\w.]+:[\w.]+", re.ASCII)


# The JSON type of each member. `login` may be any encoded value; a server without keys has no algorithms.
_SHAPE: dict[str, type] = {
    "settings": dict,
    "clock": list,
    "entropy": list,
    "digests": list,
    "derived": list,
    "handles": list,
    "sealed": list,
    "unsealed": list,
    "signed": list,
    "verified": list,
    "documents": list,
    "extra_claims": list,
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
        raise ValueError(f"not a trace: it lacks {', '.join(sorted(missing))}")
    if unknown := members.keys() - _SHAPE.keys():
        raise ValueError(f"not a trace of version {VERSION}: it has {', '.join(sorted(unknown))}")
    for name, kind in _SHAPE.items():
        if not isinstance(members[name], kind):
            raise ValueError(f"not a trace: its {name} is not a {kind.__name__}")
    if not all(is_time(reading) for reading in members["clock"]):
        raise ValueError("not a trace: its clock is not a list of numbers")
    for name in ("digests", "derived", "handles", "sealed", "unsealed", "verified", "documents"):
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in members[name]):
            raise ValueError(f"not a trace: its {name} are not pairs")
    if not all(isinstance(step, dict) and step.keys() == _STEP for step in members["steps"]):
        raise ValueError("not a trace: one of its steps is malformed")
