"""JSON from strangers: what two readers could understand differently is refused (RFC 7493, I-JSON).

Numbers are the worst of it. `json` takes NaN, makes an infinity of 1e400 and integers of thousands of digits, which no
`float` and no database holds, and to Python `True` is an integer that equals 1. Here a number is one that others read
the same, or it is refused.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn, TypeGuard

# What a 64-bit reader holds, signed or not: RFC 7493 section 2.2 promises 53 bits, and identifiers of others have 64.
_LEAST, _GREATEST = -(2**63), 2**64 - 1
_DIGITS = len(str(_GREATEST))

# The last second that every reader of JSON can tell from its neighbours (RFC 7493 section 2.2).
END_OF_TIME = 2**53


def parse_object(text: str | bytes) -> dict[str, object]:
    """Read a JSON object.

    Raises `ValueError` for anything else, for a member that is there twice, for what `read_json` refuses, and for half
    of a surrogate pair, which no storage and no page could write down (RFC 7493 sections 2.1 and 2.2).
    """
    value = parse_value(text)
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")
    return value


def parse_value(text: str | bytes) -> object:
    """Read any JSON value, as strictly as `parse_object` reads an object; raises `ValueError`."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value: object = json.loads(
            text, object_pairs_hook=_once_each, parse_constant=_no_number, parse_float=_finite, parse_int=_bounded
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # UnicodeEncodeError is a ValueError
    except RecursionError:  # nested deeper than anything that is meant
        raise ValueError("the JSON is nested too deeply") from None
    return value


def read_json(text: str | bytes) -> object:
    """Read any JSON value whose numbers are numbers: members may be there twice, and the last one counts.

    For what is shown or kept, and never decided upon. Raises `ValueError`, also for NaN and for too large numbers.
    """
    try:
        value: object = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_bounded)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return value


def is_integer(value: object) -> TypeGuard[int]:
    """Return whether a JSON value is an integer: in Python, true and false are some as well."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_time(value: object) -> TypeGuard[int | float]:
    """Return whether a JSON value can be a number of seconds since the epoch (RFC 7519 section 2, NumericDate).

    One that is beyond the end of time is none: whoever adds to it, rounds it or stores it would fail.
    """
    return (is_integer(value) or isinstance(value, float)) and -END_OF_TIME <= value <= END_OF_TIME


def same_value(one: object, other: object) -> bool:
    """Return whether two JSON values are the same: to Python, true and 1 are, at any depth."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    return one == other


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # The last one counts for Python and the first one elsewhere: who checked the one must not act on the other.
        raise ValueError("a member is there twice")
    return members


def _finite(text: str) -> float:
    # 1e400 is JSON, and Python's infinity, which could not be written down again (RFC 7493 section 2.2).
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is larger than any number here")
    return number


def _bounded(text: str) -> int:
    # 10**400 is an integer in Python and too large for everything that is done with numbers, from comparing on.
    number = int(text) if len(text.removeprefix("-")) <= _DIGITS else _GREATEST + 1
    if not _LEAST <= number <= _GREATEST:
        raise ValueError(f"{text[:20]} is larger than any number here")
    return number


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
