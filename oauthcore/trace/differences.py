"""What differs between two responses, as a trace holds them, in lines that a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def differences(said: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Tell where a response is another one: its status, its reason, each header and each member of its body."""
    told = []
    if said["status"] != before["status"]:
        told.append(f"status: {said['status']}, and before {before['status']}")
    if said["refusal"] != before["refusal"]:
        told.append(f"reason: {_reason(said['refusal'])}, and before {_reason(before['refusal'])}")
    told += _each("header", _headers(said["headers"]), _headers(before["headers"]))
    if isinstance(said["body"], dict) and isinstance(before["body"], dict):
        told += _each("member", said["body"], before["body"])
    elif said["body"] != before["body"]:
        told.append(f"body: {said['body']!r}, and before {before['body']!r}")
    return told


def _each(what: str, said: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    for name in {**before, **said}:
        if name not in before:
            yield f"{what} {name}: {said[name]!r}, and before none"
        elif name not in said:
            # Its value is in the trace; that it is missing is what has to be seen.
            yield f"{what} {name}: none, and before there was one"
        elif said[name] != before[name]:
            yield f"{what} {name}: {said[name]!r}, and before {before[name]!r}"


def _headers(pairs: list[list[str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]}, {value}" if name in values else value
    return values


def _reason(refusal: dict[str, str] | None) -> str:
    return "none" if refusal is None else f"{refusal['code']}: {refusal['reason']}"
