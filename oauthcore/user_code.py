"""User codes: what a person reads from one device and types at another (RFC 8628 section 6.1)."""

from __future__ import annotations

import base64

from oauthcore.digest import Secret
from oauthcore.wire.text import ascii_upper

# RFC 8628 section 6.1: no vowels, so that no word is ever spelled, and nothing that is taken for something else.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
# 20 letters, 8 times: 34.5 bits.
NUMBER_OF_CODES = len(LETTERS) ** LENGTH


def spell_user_code(drawn: Secret) -> str:
    """Return the user code that a secret of 256 random bits comes to, as it is shown: XXXX-XXXX."""
    text = drawn.reveal()
    number = int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    letters = ""
    # The remainder of 256 bits prefers no letter by more than 2**-220.
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return shown_user_code(letters)


def shown_user_code(letters: str) -> str:
    """Return the letters of a code as they are shown, in two halves."""
    half = LENGTH // 2
    return f"{letters[:half]}-{letters[half:]}"


def read_user_code(typed: str) -> str | None:
    """Return the letters of a code as the user typed it, None if it is not a code.

    Case, dashes, spaces and whatever else is no letter of a code make no difference (RFC 8628 section 6.1).
    """
    letters = "".join(letter for letter in ascii_upper(typed[:_LONGEST]) if letter in LETTERS)
    return letters if len(letters) == LENGTH else None


# Room for any spelling of eight letters; a megabyte need not be looked through.
_LONGEST = 64
