"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.errors import InvalidGrant, InvalidRequest
from oauthcore.pkce import CodeChallenge, check_verifier, parse_challenge
from tests.core.site import CHALLENGE, VERIFIER, challenge_of

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
VERIFIERS = st.text(UNRESERVED, min_size=43, max_size=128)


def test_the_example_of_the_standard_matches() -> None:
    """RFC 7636 appendix B."""
    check_verifier(CodeChallenge(CHALLENGE, "S256"), VERIFIER)

    assert challenge_of(VERIFIER) == CHALLENGE


@given(verifier=VERIFIERS, other=VERIFIERS)
def test_a_verifier_matches_its_own_challenge_and_no_other(verifier: str, other: str) -> None:
    challenge = parse_challenge(challenge_of(verifier), "S256", plain_allowed=False)
    check_verifier(challenge, verifier)

    if other != verifier:
        with pytest.raises(InvalidGrant, match="does not match"):
            check_verifier(challenge, other)


def test_a_plain_challenge_is_its_own_verifier() -> None:
    challenge = parse_challenge(VERIFIER, "plain", plain_allowed=True)

    check_verifier(challenge, VERIFIER)
    with pytest.raises(InvalidGrant, match="does not match"):
        check_verifier(challenge, CHALLENGE)


def test_no_challenge_and_no_verifier_go_together() -> None:
    check_verifier(parse_challenge(None, None, plain_allowed=False), None)

    assert parse_challenge(None, None, plain_allowed=True) is None


def test_a_verifier_that_nobody_asked_for_is_refused() -> None:
    """RFC 9700 section 4.8.2."""
    with pytest.raises(InvalidGrant, match="had no code_challenge"):
        check_verifier(None, VERIFIER)


def test_a_missing_verifier_is_refused() -> None:
    with pytest.raises(InvalidGrant, match="missing"):
        check_verifier(CodeChallenge(CHALLENGE, "S256"), None)


@pytest.mark.parametrize("length", [0, 1, 42, 129, 1000])
def test_a_verifier_and_a_challenge_of_another_length_are_refused(length: int) -> None:
    """RFC 7636 sections 4.1 and 4.2."""
    with pytest.raises(InvalidGrant, match="43 to 128"):
        check_verifier(CodeChallenge(CHALLENGE, "S256"), "a" * length)
    with pytest.raises(InvalidRequest, match="43 to 128"):
        parse_challenge("a" * length, "S256", plain_allowed=False)


@pytest.mark.parametrize("length", [43, 128])
def test_the_shortest_and_the_longest_are_taken(length: int) -> None:
    check_verifier(parse_challenge("a" * length, "plain", plain_allowed=True), "a" * length)


@pytest.mark.parametrize("character", ["+", "/", "=", " ", "\n", "é", "%", "\0"])
def test_a_character_outside_the_syntax_is_refused(character: str) -> None:
    with pytest.raises(InvalidGrant, match="unreserved"):
        check_verifier(CodeChallenge(CHALLENGE, "S256"), "a" * 42 + character)
    with pytest.raises(InvalidRequest, match="unreserved"):
        parse_challenge("a" * 42 + character, "S256", plain_allowed=False)


def test_an_absent_method_means_plain_and_so_is_refused_unless_plain_is_allowed() -> None:
    """RFC 7636 section 4.3."""
    with pytest.raises(InvalidRequest, match="plain"):
        parse_challenge(CHALLENGE, None, plain_allowed=False)

    assert parse_challenge(CHALLENGE, None, plain_allowed=True) == CodeChallenge(CHALLENGE, "plain")


def test_a_method_without_a_challenge_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="without code_challenge"):
        parse_challenge(None, "S256", plain_allowed=True)


@pytest.mark.parametrize("method", ["s256", "S512", "PLAIN", "none"])
def test_an_unknown_method_is_refused(method: str) -> None:
    with pytest.raises(InvalidRequest, match="unknown"):
        parse_challenge(CHALLENGE, method, plain_allowed=True)
