"""Scope (RFC 6749 section 3.3)."""

from __future__ import annotations

import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Scope
from oauthcore.errors import InvalidScope
from oauthcore.scope import as_scope, parse_scope, resolve_scope

TOKENS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=4
)
SCOPES = st.lists(TOKENS, max_size=5).map(lambda tokens: Scope(tuple(tokens)))


@given(scope=SCOPES)
def test_reading_undoes_writing(scope: Scope) -> None:
    assert parse_scope(scope.text) == scope


@given(asked=st.none() | SCOPES, default=SCOPES, allowed=SCOPES)
def test_a_scope_never_grows(asked: Scope | None, default: Scope, allowed: Scope) -> None:
    try:
        resolved = resolve_scope(asked, default, allowed)
    except InvalidScope:
        return

    assert set(resolved) <= set(allowed)
    assert resolved == (default if asked is None else asked)


def test_the_order_is_kept_and_repetition_is_not() -> None:
    assert parse_scope("b a b").text == "b a"


def test_a_scope_of_everyday_length_is_read_once_and_a_long_one_is_not_kept() -> None:
    """Whatever anybody sends would stay in memory until enough others had been sent."""
    long = weakref.ref(parse_scope("a " * 600))

    assert parse_scope("a b") is parse_scope("a b")
    assert long() is None


def test_runs_of_spaces_are_forgiven() -> None:
    assert parse_scope("  a   b ") == Scope(("a", "b"))


@pytest.mark.parametrize("text", ['a"', "a\\b", "é", "a\tb", "a\nb", "\0", "\x7f"])
def test_characters_outside_the_syntax_are_refused(text: str) -> None:
    """RFC 6749 appendix A.4."""
    with pytest.raises(InvalidScope, match="character"):
        parse_scope(text)


@pytest.mark.parametrize("value", ["a b", ["a", "b"], ("a", "b"), Scope(("a", "b"))])
def test_a_scope_is_taken_in_whatever_form_it_is_at_hand(value: str | list[str]) -> None:
    assert as_scope(value) == Scope(("a", "b"))


def test_one_covers_another_whatever_the_order() -> None:
    assert Scope(("a", "b", "c")).covers(Scope(("c", "a")))
    assert not Scope(("a",)).covers(Scope(("a", "b")))
    assert Scope().covers(Scope())


def test_a_union_keeps_what_was_there_first() -> None:
    assert Scope(("b", "a")).union(Scope(("c", "a"))) == Scope(("b", "a", "c"))


def test_it_is_false_when_empty_and_knows_its_tokens() -> None:
    assert not Scope()
    assert "a" in Scope(("a",)) and "b" not in Scope(("a",))
    assert list(Scope(("a", "b"))) == ["a", "b"]
