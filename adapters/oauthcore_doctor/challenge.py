"""The challenge of a protected resource, read as clients do that are careful (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oauthcore.wire.text import ascii_lower

# token = 1*tchar; a parameter is a token and a quoted string, or two tokens (RFC 9110 sections 5.6.2 and 11.2).
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))', re.ASCII)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ ]+|$)", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.ASCII)
# A pattern that is tried at each character takes quadratic time: a header of a server that is up to no good is long.
MAX_LENGTH = 4_096


def scheme_of(challenge: str) -> str:
    """Return the scheme that a challenge begins with, in lower case; blank for none."""
    found = _SCHEME.match(challenge[:MAX_LENGTH])
    return ascii_lower(found[1]) if found else ""


def parameters_of(challenge: str) -> Mapping[str, str]:
    """Return the parameters of a challenge by their names in lower case; of one that is there twice the first."""
    parameters: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(challenge[:MAX_LENGTH]):
        parameters.setdefault(ascii_lower(name), _ESCAPED.sub(r"\1", quoted) or plain)
    return parameters
