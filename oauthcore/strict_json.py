"""JSON objects from strangers: what two readers could understand differently is refused (RFC 7493, I-JSON)."""

from __future__ import annotations

import json
import math
from typing import NoReturn


def parse_object(text: str | bytes) -> dict[str, object]:
    """Read a JSON object.

    Raises `ValueError` for anything else, for a member that is there twice, for NaN, for what is beyond all numbers,
    and for half of a surrogate pair, which no storage and no page could write down (RFC 7493 sections 2.1 and 2.2).
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # UnicodeEncodeError is a ValueError
    except RecursionError:  # nested deeper than anything that is meant
        raise ValueError("the JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")
    return value


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


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
