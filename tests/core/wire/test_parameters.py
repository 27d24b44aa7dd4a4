"""Strict reading of what a peer can write."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Request
from oauthcore.errors import InvalidRequest
from oauthcore.wire.parameters import (
    MAX_LENGTH,
    Parameters,
    cookie_of,
    cookies_named,
    form_of,
    parse_form,
    query_of,
    without_cookies,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(values=st.dictionaries(NAMES, VALUES, max_size=6))
def test_reading_undoes_writing(values: dict[str, str]) -> None:
    values.pop("resource", None)

    read = parse_form(urlencode(values))

    assert {name: read.get(name) for name in values} == {name: value or None for name, value in values.items()}


@given(text=st.text(alphabet="aF%+02c39é\0\ud800", max_size=12))
def test_a_value_is_decoded_as_the_library_decodes_it(text: str) -> None:
    try:
        expected = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError:
        expected = "\0"

    if "\0" in expected:
        with pytest.raises(InvalidRequest):
            parse_form(f"a={text}")
    else:
        assert parse_form(f"a={text}").get("a") == (expected or None)


@given(text=st.text(alphabet="ab=&c", max_size=12), encoded=st.sampled_from(["a", "b", "c"]))
def test_what_is_written_plainly_is_read_as_what_is_encoded(text: str, encoded: str) -> None:
    read: list[Parameters | str] = []
    for spelling in (text, text.replace(encoded, f"%{ord(encoded):02x}")):
        try:
            read.append(parse_form(spelling))
        except InvalidRequest as error:
            read.append(error.reason)

    assert read[0] == read[1]


@given(text=st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidRequest):
        assert isinstance(parse_form(text), Parameters)


def test_blank_is_absent() -> None:
    parameters = parse_form("a=&b&c=1&&")

    assert [parameters.get(name) for name in "abc"] == [None, None, "1"]
    assert "a" not in parameters and "c" in parameters


def test_a_needed_parameter_that_is_blank_is_missing() -> None:
    with pytest.raises(InvalidRequest, match="a is missing"):
        parse_form("a=").need("a")

    assert parse_form("a=1").need("a") == "1"


@pytest.mark.parametrize("text", ["a=1&a=2", "a=1&a=1", "a=&a=", "a&a=1", "%61=1&a=1"])
def test_repeated_is_refused(text: str) -> None:
    """RFC 6749 section 3.1."""
    with pytest.raises(InvalidRequest, match="repeated"):
        parse_form(text)


def test_resource_may_be_repeated() -> None:
    """RFC 8707 section 2."""
    parameters = parse_form("resource=a&resource=b&x=1", frozenset({"resource"}))

    assert parameters.all("resource") == ("a", "b")
    assert parameters.all("x") == ()
    assert parameters.get("resource") == "a"


@pytest.mark.parametrize("text", ["a=%00", "a=\0", "\0=a", "a=b%20%00"])
def test_a_nul_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="NUL"):
        parse_form(text)


@pytest.mark.parametrize("text", ["a=%ff", "a=%c3", "%ff=a", "a=\ud800"])
def test_what_is_no_utf8_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="UTF-8"):
        parse_form(text)


@pytest.mark.parametrize(("text", "value"), [("%", "%"), ("%zz", "%zz"), ("a+b", "a b"), ("%2B", "+"), ("é", "é")])
def test_odd_encodings_are_read_as_everybody_reads_them(text: str, value: str) -> None:
    assert parse_form(f"a={text}").get("a") == value


def test_too_much_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="bytes"):
        parse_form("a" * (MAX_LENGTH + 1))
    with pytest.raises(InvalidRequest, match="more than 100"):
        parse_form("&".join(f"p{number}=1" for number in range(101)))

    assert parse_form("&".join(f"p{number}=1" for number in range(100))).get("p99") == "1"


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        (None, b"", "content type"),
        ("application/json", b"{}", "content type"),
        ("application/x-www-form-urlencoded", b"a" * (MAX_LENGTH + 1), "bytes"),
        ("application/x-www-form-urlencoded", b"a=\xff", "UTF-8"),
    ],
)
def test_a_body_that_is_no_form_is_refused(content_type: str | None, body: bytes, reason: str) -> None:
    headers = () if content_type is None else (("Content-Type", content_type),)

    with pytest.raises(InvalidRequest, match=reason):
        form_of(Request("POST", "/", headers, body))


@pytest.mark.parametrize(
    "others", [("application/json",), ("application/x-www-form-urlencoded",), ("; charset=utf-8", "text/plain")]
)
def test_a_form_that_comes_with_another_content_type_is_none(others: tuple[str, ...]) -> None:
    """Whoever stands between may have believed the other one (RFC 9110 sections 5.3 and 8.3)."""
    own = "application/x-www-form-urlencoded"
    first = own + others[0] if others[0].startswith(";") else own
    headers = [("Content-Type", first), ("Content-Type", others[-1])]

    with pytest.raises(InvalidRequest, match="content type"):
        form_of(Request("POST", "/", headers, b"a=form"))


def test_form_and_query_are_read_apart() -> None:
    headers = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)
    request = Request("POST", "/?a=query", headers, b"a=form")

    assert (form_of(request).get("a"), query_of(request).get("a")) == ("form", "query")


def test_every_cookie_of_a_name_is_given() -> None:
    """RFC 6265 section 5.4."""
    request = Request("GET", "/", (("Cookie", 'a=1; b=2;a="3"; c'), ("Cookie", "a=4")))

    assert cookies_named(request, "a") == ["1", "3", "4"]
    assert cookies_named(request, "nothing") == []


# Python takes these for white space, and browsers take them for letters of a name.
NO_WHITE_SPACE = [chr(code) for code in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F, 0x85, 0xA0, 0x2003, 0x3000, 0xFEFF)]


@pytest.mark.parametrize("character", NO_WHITE_SPACE, ids=ascii)
@pytest.mark.parametrize("spelling", ["{}__Host-a=1", "__Host-a{}=1", "{0}__Host-a{0}=1", " {}\t__Host-a=1"])
def test_a_character_that_browsers_take_for_one_of_a_name_makes_another_name(spelling: str, character: str) -> None:
    """RFC 6265bis section 4.1.3.2: any host of the domain may set such a name, and no other may set `__Host-a`."""
    pair = spelling.format(character)
    request = Request("GET", "/", (("Cookie", f"{pair}; __Host-a=own"),))

    assert cookies_named(request, "__Host-a") == ["own"]
    assert without_cookies(request, "__Host-a").header("cookie") == pair


def test_of_two_cookies_of_a_name_neither_counts() -> None:
    for pairs in ("a=1; a=2", "a=1; a=1", "a=1; a="):
        assert cookie_of(Request("GET", "/", (("Cookie", pairs),)), "a") is None

    assert cookie_of(Request("GET", "/", (("Cookie", "a=1"), ("Cookie", "a=2"))), "a") is None
    assert cookie_of(Request("GET", "/", (("Cookie", "b=2; a=1"),)), "a") == "1"
    assert cookie_of(Request("GET", "/", (("Cookie", "b=2"),)), "a") is None


def test_a_value_without_a_name_is_no_cookie_of_that_name() -> None:
    """RFC 6265bis section 5.6: it is sent without an equals sign."""
    assert cookies_named(Request("GET", "/", (("Cookie", "a; a=1"),)), "a") == ["1"]


@pytest.mark.parametrize("pair", ["a=1", " a=1", "a =1", "\ta\t= 1 ", "a=", 'a="1"', "a=1=2"])
def test_no_spelling_of_a_cookie_survives_its_removal(pair: str) -> None:
    headers = (("Cookie", f"b=2;{pair}; c=3"), ("Accept", "a=1"), ("Cookie", pair), ("Cookie", f"{pair};aa=4"))
    request = Request("GET", "/", headers)
    assert len(cookies_named(request, "a")) == 3

    stripped = without_cookies(request, "a")

    assert cookies_named(stripped, "a") == []
    assert [cookies_named(stripped, name) for name in ("b", "c", "aa")] == [["2"], ["3"], ["4"]]
    assert stripped.header("accept") == "a=1"
