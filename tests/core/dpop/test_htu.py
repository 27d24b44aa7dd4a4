"""The URL of a proof, as it is compared (RFC 9449 section 4.3, RFC 3986 section 6.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.dpop.htu import MAX_LENGTH, expected_form, normalised


@pytest.mark.parametrize(
    "spelling",
    [
        "https://as.example/token",
        "HTTPS://AS.Example/token",
        "https://as.example:443/token",
        "https://as.example:/token",
        "https://as.example/token?a=b",
        "https://as.example/token#c",
        "https://as.example/token?a=b#c",
        "https://as.example/%74oken",
        "https://as.example/a/../token",
        "https://as.example/./token",
        "https://as.example/../token",
    ],
)
def test_the_same_url_in_another_spelling_is_the_same(spelling: str) -> None:
    assert normalised(spelling) == "https://as.example/token"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://as.example", "https://as.example/"),
        ("http://as.example:80/", "http://as.example"),
        ("https://[::1]:443/t", "https://[::1]/t"),
        ("https://as.example/a%2fb", "https://as.example/a%2Fb"),
        ("https://as.example/a/.", "https://as.example/a/"),
        ("https://as.example/a/b/..", "https://as.example/a/"),
        ("https://as.example/%7Euser", "https://as.example/~user"),
    ],
)
def test_spellings_that_mean_one_url_are_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other) is not None


@pytest.mark.parametrize(
    "other",
    [
        "http://as.example/token",
        "https://as.example:8443/token",
        "https://as.example.evil.example/token",
        "https://evil.example/token",
        "https://as.example/token/",
        "https://as.example/Token",
        "https://as.example//token",
        "https://as.example/tok%2Fen",
        "https://as.example/",
    ],
)
def test_another_url_stays_another(other: str) -> None:
    assert normalised(other) not in {None, "https://as.example/token"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "as.example/token",
        "//as.example/token",
        "/token",
        "https:/as.example/token",
        "https://user@as.example/token",
        "https://as.example@evil.example/token",
        "https://as.example\\@evil.example/token",
        "https://as.example:99999x/token",
        "https://as.example/to ken",
        "https://as.example/token\n",
        "https://as.example/tök",
        "https://as.example/%zz",
        "https://äs.example/token",
        "urn:example:token",
        "https://as.example/" + "a" * MAX_LENGTH,
    ],
)
def test_what_is_no_url_of_a_server_matches_nothing(text: str) -> None:
    assert normalised(text) is None


@given(st.text(max_size=80))
def test_any_text_has_a_form_that_stays_or_none(text: str) -> None:
    form = normalised(text)

    assert form is None or normalised(form) == form


@given(st.lists(st.sampled_from([".", "..", "a", "%2e", "%41", "", "b~"]), max_size=8))
def test_a_normalised_path_has_no_dot_segments(segments: list[str]) -> None:
    form = normalised("https://as.example/" + "/".join(segments))

    assert form is not None
    assert not {".", ".."} & set(form.split("/"))
    assert normalised(form) == form


def test_what_is_no_url_has_no_form_to_be_compared_with() -> None:
    assert expected_form("urn:example") is None
    assert expected_form("HTTPS://as.example") == "https://as.example/"
