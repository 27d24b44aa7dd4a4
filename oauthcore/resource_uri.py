"""Resource URIs: which are valid, and which name the same resource (RFC 8707 section 2, RFC 3986 section 6).

They are compared in a normalised form, which is never emitted. `aud` and the like contain the registered string.
"""

from __future__ import annotations

import re

from oauthcore.redirect_uri import HOST, LOOPBACK_HOSTS, PORTS
from oauthcore.wire.text import ascii_lower

# RFC 3986 appendix A. RFC 8707 section 2 wants an absolute URI, which has no fragment, so that `#` is no character
# here. Brackets are for a host that is an address, and nowhere else; what is not ASCII is no part of a URI at all.
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):((?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=\[\]]|%[0-9A-Fa-f]{2})+)")
# User information before the host is refused, by what a host can be: it is there to make one host look like another.
_HTTP = re.compile(rf"//({HOST.pattern})({PORTS.pattern})(/[^?\[\]]*)?(\?[^\[\]]*)?")
# RFC 3986 section 5.2.4 takes them out, and not every reader does: two would not agree which resource it is.
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[Ee]){1,2}(?:/|\Z)")
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}

# Far above any honest one; each is in records, in tokens and, until a user has signed in, in URLs.
MAX_LENGTH = 512


def comparable(uri: str) -> str | None:
    """Return the normalised form of a resource URI, None for one that is not valid.

    For https and http, the case of scheme and host, the default port, and an empty path or `/` make no difference (RFC
    3986 section 6.2). Everything else does: `/mcp2` is not `/mcp`, and neither is `/%6dcp`.
    """
    parts = _URI.fullmatch(uri) if len(uri) <= MAX_LENGTH else None
    if parts is None:
        return None
    scheme, rest = ascii_lower(parts[1]), parts[2]
    if scheme not in _DEFAULT_PORTS:
        return None if "[" in rest or "]" in rest else f"{scheme}:{rest}"
    found = _HTTP.fullmatch(rest)
    if found is None:
        return None
    host, port, path, query = found.groups()
    if path is not None and _DOT_SEGMENT.search(path):
        return None
    if port in {":", _DEFAULT_PORTS[scheme]}:
        port = ""
    return f"{scheme}://{ascii_lower(host)}{port}{path or '/'}{query or ''}"


def without_final_slash(form: str) -> str:
    """Return a normalised form without the slash at the end of its path, for servers that ignore the difference."""
    path, mark, query = form.partition("?")
    has_path = is_url(path) and path.count("/") > 3  # that of a host alone stays
    return (path[:-1] if has_path and path.endswith("/") else path) + mark + query


def is_below(form: str, base: str) -> bool:
    """Return whether a resource, in normalised form, is another or is below it: `/mcp2` is not below `/mcp`."""
    base = base.partition("?")[0]
    return form == base or form.startswith(base if base.endswith("/") else f"{base}/")


def is_url(form: str) -> bool:
    """Return whether a normalised form is one of https or http."""
    return form.startswith(("https://", "http://"))


def is_https_or_loopback(form: str) -> bool:
    """Return whether a resource, in normalised form, can't be impersonated on the network."""
    if form.startswith("https:"):
        return True
    host = form.removeprefix("http://").partition("/")[0]
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return form.startswith("http:") and name in LOOPBACK_HOSTS
