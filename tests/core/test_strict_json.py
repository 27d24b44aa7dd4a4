"""JSON from strangers."""

from __future__ import annotations

import pytest

from oauthcore.strict_json import parse_object


def test_an_object_is_read() -> None:
    assert parse_object('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    assert parse_object('{"a": "\\ud83d\\ude00"}') == {"a": "😀"}
    assert parse_object(b'{"\xc3\xa4": 1.5}') == {"ä": 1.5}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"a"',
        "null",
        "{",
        b'{"a": "\xff"}',
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        '{"sub": "alice", "s\\u0075b": "bob"}',
        '{"sub": "\\ud83d"}',
        '{"\\uDE00": null}',
        '{"exp": NaN}',
        '{"exp": Infinity}',
        '{"exp": -Infinity}',
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' + "9" * 5_000 + "}",
    ],
)
def test_what_could_be_understood_in_two_ways_or_not_at_all_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_object(text)
