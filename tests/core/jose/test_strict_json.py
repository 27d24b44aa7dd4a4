"""JSON from strangers."""

from __future__ import annotations

import pytest

from oauthcore.jose.strict_json import END_OF_TIME, is_integer, is_time, parse_object, read_json, same_value


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
        '{"exp": 1e400}',
        '{"exp": -1e400}',
        '{"a": 18446744073709551616}',
        '{"a": -9223372036854775809}',
        '{"a": ' + "9" * 400 + "}",
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": -' + "9" * 500_000 + "}",
    ],
)
def test_what_could_be_understood_in_two_ways_or_not_at_all_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_object(text)


def test_integers_of_64_bits_are_read_as_they_are() -> None:
    text = "[18446744073709551615, -9223372036854775808, -0]"

    assert parse_object(f'{{"a": {text}}}')["a"] == [2**64 - 1, -(2**63), 0]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e400", "9" * 400, "[" * 100_000, "{"])
def test_what_is_only_shown_has_no_such_numbers_either(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)

    assert read_json('{"a": 1, "a": [2.5]}') == {"a": [2.5]}


@pytest.mark.parametrize("value", [0, -1, 1_800_000_000, 1.5, END_OF_TIME])
def test_a_number_of_seconds_is_a_time(value: object) -> None:
    assert is_time(value)


@pytest.mark.parametrize(
    "value", [True, False, None, "1", [1], 10**400, END_OF_TIME + 1, 1e300, float("nan"), float("-inf")]
)
def test_anything_else_is_none(value: object) -> None:
    assert not is_time(value)


def test_neither_true_nor_a_fraction_is_an_integer() -> None:
    assert is_integer(1) and not is_integer(True) and not is_integer(1.0)


def test_true_is_not_the_same_as_one() -> None:
    assert not same_value(True, 1) and not same_value([0], [False]) and not same_value({"a": 1}, {"a": True})
    assert same_value(True, True) and same_value(1, 1.0) and same_value({"a": [1, "b"]}, {"a": [1, "b"]})
    assert not same_value([1], [1, 2]) and not same_value({"a": 1}, {"b": 1}) and not same_value("1", 1)
