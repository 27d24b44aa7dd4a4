"""Text from the wire: ASCII is read as it is meant, and every other character is left as it is."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.wire.text import ascii_lower, decimal, media_type, strip_ows, words

OTHERS = "".join(map(chr, range(0x80, sys.maxunicode + 1)))
BEYOND_ASCII = [c for c in OTHERS if c.isspace() or c.isdigit() or c.isdecimal() or ascii(c.lower()) != ascii(c)]


def test_only_space_and_tab_are_white_space() -> None:
    """RFC 9110 section 5.6.3."""
    assert strip_ows(" \ta b\t ") == "a b"
    assert all(strip_ows(c) == c for c in (*BEYOND_ASCII, *map(chr, {*range(0x21), 0x7F} - {0x20, 0x09})))


def test_only_the_letters_of_ascii_have_a_lower_case() -> None:
    assert ascii_lower("AZ-09 @[") == "az-09 @["
    assert all(ascii_lower(f"A{c}") == f"a{c}" for c in BEYOND_ASCII)


@given(st.text())
def test_lower_case_is_as_long_and_lower_case_already(text: str) -> None:
    lowered = ascii_lower(text)

    assert len(lowered) == len(text)
    assert ascii_lower(lowered) == lowered
    assert not set(lowered) & set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 9, 999_999_999)])
def test_digits_are_a_number(text: str, number: int) -> None:
    assert decimal(text, 9) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "1.0", "1e3", "0x1", "1\n", "1" * 10, "1" * 100_000])
def test_anything_else_is_no_number(text: str) -> None:
    assert decimal(text, 9) is None


def test_digits_of_other_scripts_are_no_number() -> None:
    assert [c for c in BEYOND_ASCII if decimal(c, 9) is not None] == []


def test_words_stand_between_spaces() -> None:
    """RFC 6749 section 3.3."""
    assert words("a  b\u00a0c ") == ("a", "b\u00a0c")
    assert words("") == words(None) == ()


@pytest.mark.parametrize("text", ["text/html", " TEXT/Html ;charset=x", "text/html;a;b"])
def test_a_media_type_is_the_same_in_every_spelling(text: str) -> None:
    """RFC 9110 section 8.3.1."""
    assert media_type(text) == "text/html"


def test_a_media_type_that_is_missing_is_blank() -> None:
    assert media_type(None) == ""
