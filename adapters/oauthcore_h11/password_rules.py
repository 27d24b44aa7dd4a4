"""What a new password may not be: too short, or one of those that everybody tries first (NIST SP 800-63B-4, 3.1.1.2).

There are no rules of composition, and no password gets too old: the same section forbids both.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from itertools import pairwise

import attrs

from oauthcore import ConfigurationError, Secret

# A longer one is a mistake, or an attack on the time that hashing takes; the section asks for at least 64.
MAX_PASSWORD = 1024

# Where a password is all there is to sign in with, the section asks for 15 characters.
MIN_PASSWORD = 15


@attrs.frozen(kw_only=True)
class PasswordRules:
    """Say how many characters a new password has at least, and whether one that many people have is refused."""

    minimum_length: int = MIN_PASSWORD
    refuse_common: bool = True

    def check(self, password: Secret, *others: str) -> None:
        """Look a new password over; raises `ConfigurationError`, which does not show it.

        `others` are words that an attacker would try for this user, such as the username.
        """
        text = password.reveal()
        if len(text) < self.minimum_length or len(text.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
            # A character is a code point, whatever it takes in bytes.
            least, most = f"{self.minimum_length} characters (passwords.minimum_length)", f"{MAX_PASSWORD} bytes"
            remedy = f"use at least {least} and at most {most}"
            raise ConfigurationError("password", password, remedy)
        if self.refuse_common and is_common(text, *others):
            remedy = "it is one of the most common passwords (passwords.refuse_common); use another"
            raise ConfigurationError("password", password, remedy)


@cache
def common_passwords() -> frozenset[str]:
    """Return what leaked collections have most of, and what people make of it who need more characters."""
    text = files("oauthcore_h11").joinpath("common_passwords.txt").read_text(encoding="ascii")
    return frozenset(text.rstrip("\n").split("\n"))


def is_common(password: str, *others: str) -> bool:
    """Return whether a password is one of those that everybody tries, or made of one thing over and over.

    Case makes no difference, and neither does what many put behind a word that is refused.
    """
    text = unicodedata.normalize("NFKC", password).casefold()
    bare = text.replace(" ", "")
    expected = common_passwords().union(other.casefold() for other in others if other)
    return any(
        word in expected
        or word.rstrip("0123456789!?.*#$") in expected
        or is_repeated(word, expected)
        or is_sequence(word)
        for word in {text, bare}
    )


def is_repeated(text: str, words: frozenset[str]) -> bool:
    """Return whether it is a character, or an expected word, several times: in `aaaaaaaaaaaaaaa` there is one guess."""
    for size in range(1, len(text) // 2 + 1):
        if text[:size] * (len(text) // size) == text and (size <= _SHORT or text[:size] in words):
            return True
    return False


_SHORT = 3


def is_sequence(text: str) -> bool:
    """Return whether each character is the one after, or before, the last: as in `456789`; a digit follows 9 by 0."""
    steps = {_step(one, other) for one, other in pairwise(text)}
    return len(text) > 1 and steps in ({1}, {-1})


def _step(one: str, other: str) -> int:
    if one + other in {"90", "09"}:
        return 1 if one == "9" else -1
    return ord(other) - ord(one)
