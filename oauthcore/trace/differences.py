"""The differences between two responses, in the form that a trace keeps them, one readable line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def differences(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return the differences: in status, refusal, each header and each member of the body."""
    found = []
    if now["status"] != before["status"]:
        found.append(f"status: {now['status']}; recorded: {before['status']}")
    if now["refusal"] != before["refusal"]:
        found.append(f"reason: {_reason(now['refusal'])}; recorded: {_reason(before['refusal'])}")
    found += _each("header", _headers(now["headers"]), _headers(before["headers"]))
    if isinstance(now["body"], dict) and isinstance(before["body"], dict):
        found += _each("member", now["body"], before["body"])
    elif now["body"] != before["body"]:
        found.append(f"body: {now['body']!r}; recorded: {before['body']!r}")
    return found


def _each(what: str, now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    for name in {**before, **now}:
        if name not in before:
            yield f"{what} {name}: {now[name]!r}; recorded: none"
        elif name not in now:
            # The value can be looked up in the trace. What matters here is that it is missing.
            yield f"{what} {name}: none; recorded: present"
        elif now[name] != before[name]:
            yield f"{what} {name}: {now[name]!r}; recorded: {before[name]!r}"


def _headers(pairs: list[list[str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]}, {value}" if name in values else value
    return values


def _reason(refusal: dict[str, str] | None) -> str:
    return "none" if refusal is None else f"{refusal['code']}: {refusal['reason']}"
