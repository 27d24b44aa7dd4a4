"""An upper bound for the strength of a client secret that a person chose (RFC 6749 section 10.10).

A secret that is generated here has 256 random bits. For a chosen one, the bound is the bits that it would have if each
character had been drawn at random from one alphabet. Words and dates have far fewer, but that can't be detected.
"""

from __future__ import annotations

import string
from math import log2

from oauthcore.digest import Secret

# The bound that RFC 6749 section 10.10 sets for what is generated.
ENOUGH_BITS = 128

# What random secrets are written in, from the narrowest to the widest: hexadecimal, base 32 or 36, base 64, all
# printable characters. Letters in both cases count as base 64, in which one of 22 characters often has no digit.
_ALPHABETS = (
    (string.digits, 10),
    (string.digits + "abcdef", 16),
    (string.digits + "ABCDEF", 16),
    (string.digits + string.ascii_lowercase, 36),
    (string.digits + string.ascii_uppercase, 36),
    (string.digits + string.ascii_letters + "+/-_=", 64),
    (string.digits + string.ascii_letters + string.punctuation + " ", 95),
)
_MORE = 256
# A random secret of 128 bits has more characters that differ, by any of these alphabets; `aaaa…` has one.
_FEW_CHARACTERS = 6


def most_bits(secret: Secret) -> float:
    """Return how many bits of randomness a secret can have at most."""
    text = secret.reveal()
    characters = set(text)
    if len(characters) < _FEW_CHARACTERS:
        return len(text) * log2(max(len(characters), 1))
    size = next((size for alphabet, size in _ALPHABETS if characters <= set(alphabet)), _MORE)
    return len(text) * log2(size)


def secret_problem(secret: Secret) -> str | None:
    """Return what is wrong with a chosen secret and the remedy, without showing it; None if it may be hard enough."""
    bits = most_bits(secret)
    if bits >= ENOUGH_BITS:
        return None
    return (
        f"it has {int(bits)} bits at most, and {ENOUGH_BITS} keep it from being guessed (RFC 6749 section 10.10); "
        "use 22 random characters or more, as from openssl rand -base64 32"
    )
