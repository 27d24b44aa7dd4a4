"""What a new password may not be (NIST SP 800-63B-4 section 3.1.1.2)."""

from __future__ import annotations

import pytest

from oauthcore import ConfigurationError, Secret
from oauthcore_h11.password_rules import MAX_PASSWORD, MIN_PASSWORD, PasswordRules, common_passwords

RULES = PasswordRules()
SHORT = PasswordRules(minimum_length=1)


@pytest.mark.parametrize("text", ["", "x", "x7Q!pL2#vR9_mZ", "\u00eb" * 14, "ab" * (MAX_PASSWORD // 2) + "c"])
def test_too_short_and_too_long_ones_are_refused_unseen(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^password = Secret\(\): use at least 15 characters") as refused:
        RULES.check(Secret(text))

    assert not text or text not in str(refused.value)


def test_characters_are_counted_and_not_bytes() -> None:
    RULES.check(Secret("\U0001f40e\U0001f50b\U0001f4ce\u2708" + "zebra quartz"[:11]))


@pytest.mark.parametrize("text", ["wonderland is far away", "x7Q!pL2#vR9_mZ4", "zwei Fl\u00fcsse, ein Meer"])
def test_no_composition_is_asked_for(text: str) -> None:
    RULES.check(Secret(text), "alice", "localhost")


@pytest.mark.parametrize(
    "text",
    [
        "password",
        "PassWord",
        "password2024!",
        "123456",
        "7890123",
        "987654321",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "passwordpassword",
        "correct horse battery staple",
        "qwertyuiopasdfghjkl",
        "abcdefghijklmnop",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
        "alice",
        "Alice1999",
        "alicealicealice",
        "login.example",
    ],
)
def test_what_everybody_would_try_first_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="one of the most common"):
        SHORT.check(Secret(text), "alice", "login.example")


@pytest.mark.parametrize("text", ["password", "aaaaaaaa", "alice"])
def test_it_is_taken_where_the_operator_wants_that(text: str) -> None:
    PasswordRules(minimum_length=5, refuse_common=False).check(Secret(text), "alice")


def test_the_list_has_what_it_is_compared_with() -> None:
    assert len(common_passwords()) > 200
    assert all(word == word.casefold() and word and " " not in word for word in common_passwords())


def test_the_least_is_what_is_asked_for_where_there_is_no_second_factor() -> None:
    assert MIN_PASSWORD == 15
