"""`oauthcore replay`: the explanation of a decision, from its trace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from oauthcore import ConfigurationError
from oauthcore.testing.telling import effect_in_words, outlined
from oauthcore.trace import Replayed, Trace, replay
from oauthcore.trace.encoding import decode
from oauthcore.wire.http import Response
from oauthcore_h11.cli.options import Json, moment, say
from oauthcore_h11.profiles import Profile
from oauthcore_h11.users import User
from oauthcore_h11.witness import EffectSeen, Passed, Witness

# The reference server's own records in traces: a login depends on the one, and who may use a client on the other.
KINDS = (User, Profile)
_KNOWN = {f"{kind.__module__}:{kind.__qualname__}": kind for kind in KINDS}


def explain(trace: Path, /, *, as_json: Json = False) -> None:
    """Explain a recorded decision: its facts, the checks that passed, and the one that refused, with its section.

    Replays the trace, and exits with 1 if this comes to another decision than the recorded one.

    Parameters
    ----------
    trace
        A trace, as `oauthcore.trace.Recorder` saves it.
    """
    recorded = read(trace)
    witness = Witness()
    try:
        replayed = replay(recorded, kinds=KINDS, during=witness.watch)
        lines = story(recorded, replayed, witness)
    except ValueError as error:
        raise ConfigurationError("trace", str(trace), str(error)) from None
    text = "\n".join(f"{line['what']:8} {line['text']}" for line in lines)
    say({"story": lines, "is_same": replayed.is_same}, text, as_json=as_json)
    if not replayed.is_same:
        sys.exit(1)


def read(path: Path) -> Trace:
    """Read a trace; raises `ConfigurationError` if it can't be read."""
    try:
        return Trace.load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            "trace", str(path), f"it can't be read: {reason}; name a file of logs.traces"
        ) from None


def story(trace: Trace, replayed: Replayed, witness: Witness) -> list[dict[str, str]]:
    """Return the explanation, line by line: what each line is about, and its text."""
    at = [f"at {moment(int(trace.clock[0]))}"] if trace.clock else []
    lines = [line("asked", " ".join((*requested_call(trace), *at)))]
    refused = witness.refusal(replayed.response)
    for observed in witness.observed:
        if isinstance(observed, EffectSeen):
            lines += [fact(step) for step in trace.steps[observed.number : observed.number + 1]]
        elif observed != refused:
            lines.append(line("passed", cited(observed)))
    if refused is not None:
        lines.append(line("refused", cited(refused)))
    lines.append(line("answer", answer(replayed.response)))
    lines += [line("differs", difference) for difference in replayed.differences]
    lines.append(line("replay", "the same decision" if replayed.is_same else "another decision than was recorded"))
    return lines


def requested_call(trace: Trace) -> tuple[str, ...]:
    """Describe the request, without its parameters."""
    if trace.call == "handle":
        return (trace.request["method"], trace.request["target"].partition("?")[0])
    return ("server." + trace.call,)


def line(what: str, text: str) -> dict[str, str]:
    """Return one line."""
    return {"what": what, "text": text}


def fact(step: Any) -> dict[str, str]:
    """Describe an effect and its answer: what was found, or what was changed."""
    effect = effect_in_words(decode(step.effect, _KNOWN))
    if step.failed is not None:
        return line("failed", f"{effect}: {step.failed}")
    answer = decode(step.answer, _KNOWN)
    if effect.startswith("commit"):
        return line("changed" if answer else "lost", effect.removeprefix("commit "))
    found = outlined(answer)
    return line("found", f"nothing ({effect})" if answer is None else f"{found} ({effect})")


def cited(check: Passed) -> str:
    """Describe a check with its section, and why it refused if it did."""
    return f"{check.name} [{check.section}]" + (f": {check.reason}" if check.reason else "")


def answer(response: Response) -> str:
    """Describe the response."""
    refusal = response.refusal
    return f"{response.status}" if refusal is None else f"{response.status} {refusal.code}: {refusal.reason}"
