"""Parsing of a protected resource's challenge, as a strict client does (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oauthcore.wire.text import ascii_lower

# token = 1*tchar; a parameter is a token and a quoted string, or two tokens (RFC 9110 sections 5.6.2 and 11.2).
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))', re.ASCII)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ ]+|$)", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.ASCII)
# The pattern takes quadratic time, so a malicious server must not send a very long header.
MAX_LENGTH = 4_096


def scheme_of(challenge: str) -> str:
    """Return the scheme of a challenge in lower case; blank if there is none."""
    found = _SCHEME.match(challenge[:MAX_LENGTH])
    return ascii_lower(found[1]) if found else ""


def parameters_of(challenge: str) -> Mapping[str, str]:
    """Return the parameters of a challenge by their names in lower case; of a repeated one, the first."""
    parameters: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(challenge[:MAX_LENGTH]):
        parameters.setdefault(ascii_lower(name), _ESCAPED.sub(r"\1", quoted) or plain)
    return parameters
