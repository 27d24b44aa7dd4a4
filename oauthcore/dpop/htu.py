"""The URL in a DPoP proof, as it is compared: without query and fragment, normalised (RFC 9449 section 4.3).

Both sides are normalised by syntax and by scheme, as that section recommends (RFC 3986 sections 6.2.2 and 6.2.3), so
that a client's way to spell a URL does not matter. A URL that is no plain one of a server matches nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

from oauthcore.redirect_uri import HOST, PORTS
from oauthcore.wire.text import ascii_lower

# Far above that of any endpoint.
MAX_LENGTH = 2_048

# User information is refused by what a host can be: it is there to make one host look like another.
_URL = re.compile(
    rf"(https?)://({HOST.pattern})({PORTS.pattern})((?:/(?:[A-Za-z0-9\-._~:@!$&'()*+,;=/]|%[0-9A-Fa-f]{{2}})*)?)",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_CAPITALS = str.maketrans("abcdef", "ABCDEF")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")


def normalised(url: str) -> str | None:
    """Return the form of a URL in which it is compared; None for one that is not an http or https URL of a server."""
    if len(url) > MAX_LENGTH:
        return None
    found = _URL.fullmatch(re.split(r"[?#]", url, maxsplit=1)[0])
    if found is None:
        return None
    scheme, host, port, path = ascii_lower(found[1]), ascii_lower(found[2]), found[3], found[4]
    if port in {":", _DEFAULT_PORTS[scheme]}:
        port = ""
    return f"{scheme}://{host}{port}{_without_dots(_ESCAPE.sub(_decoded, path)) or '/'}"


@lru_cache(256)
def expected_form(url: str) -> str | None:
    """Return that form of a URL that a request came to: of the same few, time and again."""
    return normalised(url)


def _decoded(escape: re.Match[str]) -> str:
    """Return an escaped character as RFC 3986 section 6.2.2 spells it: itself if it may be, else in capitals."""
    character = bytes.fromhex(escape[0][1:]).decode("latin-1")
    return character if _UNRESERVED.fullmatch(character) else escape[0].translate(_CAPITALS)


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986 section 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "".join(f"/{segment}" for segment in kept)
