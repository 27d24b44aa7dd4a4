"""Text from the wire, read by the characters that the standards name.

`str.strip`, `str.split`, `str.lower`, `str.isdigit` and `int` follow Unicode, where U+00A0 and U+0085 are white space,
U+212A is a k and U+0663 is a 3. Browsers, proxies and other servers follow ASCII, and if two readers of a text
disagree, an attacker can use the difference. The functions here handle ASCII only and leave other characters alone.
`tests/house/` keeps those methods out of the other modules.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

# RFC 9110 section 5.6.3: OWS = *( SP / HTAB )
OWS = " \t"
# RFC 8259 section 2: the white space around a JSON value.
JSON_WHITE_SPACE = " \t\n\r"

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_DIGITS = re.compile(r"[0-9]+")


def strip_ows(text: str) -> str:
    """Return a text without the optional white space around it (RFC 9110 section 5.6.3)."""
    return text.strip(OWS)


def ascii_lower(text: str) -> str:
    """Return a text with the letters A to Z in lower case: what is case-insensitive on the wire is so in ASCII."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def ascii_upper(text: str) -> str:
    """Return a text with the letters a to z in upper case."""
    return text.translate(_UPPER)


def lower_names(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return header fields with their names in lower case, as `ascii_lower` makes it (RFC 9110 section 5.1)."""
    # A call of `ascii_lower` for each of them would be slow, since it is done for each request.
    return tuple([(name.lower() if name.isascii() else name.translate(_LOWER), value) for name, value in headers])


def decimal(text: str, digits: int) -> int | None:
    """Return the number that a text spells with at most so many ASCII digits; None for any other text.

    The bound is not for politeness: `int` raises for more than 4,300 digits, and takes quadratic time up to there.
    """
    return int(text) if len(text) <= digits and _DIGITS.fullmatch(text) else None


def words(text: str | None) -> tuple[str, ...]:
    """Return the values between spaces, as in `scope`, `prompt` and `ui_locales` (RFC 6749 section 3.3)."""
    return tuple(filter(None, text.split(" "))) if text else ()


def media_type(content_type: str | None) -> str:
    """Return a Content-Type's type and subtype in lower case, without parameters; blank for None (RFC 9110 8.3.1).

    Blank for several, too, since a proxy may have used another one. A comma in a quoted parameter also counts, but no
    type that is compared here has one.
    """
    if content_type is None or "," in content_type:
        return ""
    return ascii_lower(strip_ows(content_type.partition(";")[0]))
