"""JSON of other parties: text that two parsers could understand differently is refused (RFC 7493, I-JSON).

Numbers need the most care. `json` accepts NaN, turns 1e400 into infinity, and makes integers of thousands of digits,
which fit into no `float` and no database; and in Python `True` is an integer equal to 1. A number that not every
parser reads the same way is refused.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn, TypeGuard

# The range of 64-bit integers, signed or not. RFC 7493 section 2.2 guarantees 53 bits, but many identifiers have 64.
_LEAST, _GREATEST = -(2**63), 2**64 - 1
_DIGITS = len(str(_GREATEST))

# Beyond this, a reader with `float` numbers can't tell one second from the next (RFC 7493 section 2.2).
END_OF_TIME = 2**53


def parse_object(text: str | bytes) -> dict[str, object]:
    """Parse a JSON object.

    Raises `ValueError` for anything else, for a repeated member, for what `read_json` refuses, and for half of a
    surrogate pair, which can't be encoded as UTF-8 (RFC 7493 sections 2.1 and 2.3).
    """
    value = parse_value(text)
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")
    return value


def parse_value(text: str | bytes) -> object:
    """Parse any JSON value, as strictly as `parse_object` an object; raises `ValueError`."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value: object = json.loads(
            text, object_pairs_hook=_once_each, parse_constant=_no_number, parse_float=_finite, parse_int=_bounded
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # UnicodeEncodeError is a ValueError
    except RecursionError:  # an attack: no honest document is nested this deeply
        raise ValueError("the JSON is nested too deeply") from None
    return value


def read_json(text: str | bytes) -> object:
    """Parse any JSON value with finite numbers; of a repeated member, the last one counts.

    For values that are shown or kept but not decided upon. Raises `ValueError`, also for NaN and too large numbers.
    """
    try:
        value: object = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_bounded)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return value


def is_integer(value: object) -> TypeGuard[int]:
    """Return whether a JSON value is an integer, which in Python `True` and `False` are, too."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_time(value: object) -> TypeGuard[int | float]:
    """Return whether a JSON value can be a number of seconds since the epoch (RFC 7519 section 2, NumericDate).

    One beyond `END_OF_TIME` is refused, since rounding or storing it would fail.
    """
    return (is_integer(value) or isinstance(value, float)) and -END_OF_TIME <= value <= END_OF_TIME


def same_value(one: object, other: object) -> bool:
    """Return whether two JSON values are the same; in Python, `True == 1` at any depth."""
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
        # Python keeps the last one, other parsers the first: a check of one must not be followed by the use of another.
        raise ValueError("a member is repeated")
    return members


def _finite(text: str) -> float:
    # 1e400 is valid JSON, but infinity in Python, which JSON can't express (RFC 7493 section 2.2).
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is larger than any number here")
    return number


def _bounded(text: str) -> int:
    # Python's integers have no limit, but a database column and `float` have one.
    number = int(text) if len(text.removeprefix("-")) <= _DIGITS else _GREATEST + 1
    if not _LEAST <= number <= _GREATEST:
        raise ValueError(f"{text[:20]} is larger than any number here")
    return number


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
