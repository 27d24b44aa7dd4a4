"""A trace: one request and what was decided about it, as JSON that holds no secret."""

from __future__ import annotations

import json
from typing import Any

import attrs

from oauthcore.testing.trace.stand_ins import StandIns

VERSION = 1


@attrs.frozen
class Step:
    """Hold one effect and its answer, both encoded, or why there was none."""

    effect: Any
    answer: Any = None
    failed: str | None = None


@attrs.frozen(kw_only=True)
class Trace:
    """Hold a request, the settings it was decided under, each effect with its answer, time, chance, and the response.

    Secrets are replaced by stand-ins, consistently, so that a replay comes to the same decision; digests are as they
    were. Who the person is, which client asked, and what it asked for is in it.
    """

    settings: dict[str, Any]
    clock: list[float]
    entropy: list[int]
    digests: list[tuple[str, str]]
    derived: list[tuple[str, str]]
    signed: list[list[str]]
    request: dict[str, Any]
    login: Any
    steps: list[Step]
    response: dict[str, Any]
    stand_ins: list[str] = attrs.field(repr=False)

    def dump(self) -> str:
        """Give its JSON."""
        return json.dumps({"version": VERSION, **attrs.asdict(self)}, indent=1, ensure_ascii=True)

    @classmethod
    def load(cls, text: str) -> Trace:
        """Read its JSON; raises `ValueError` for what is no trace of this version."""
        try:
            members = json.loads(text)
            version = members.pop("version")
            steps = [Step(**step) for step in members.pop("steps")]
            trace = cls(steps=steps, **members)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"this is no trace: {error}") from None
        if version != VERSION:
            raise ValueError(f"this is a trace of version {version}, and this kit reads version {VERSION}")
        return trace

    def scrubbed(self, stand_ins: StandIns) -> Trace:
        """Give it with whatever is left of a secret replaced, wherever it is."""
        return Trace.load(stand_ins.scrubbed(self.dump()))
