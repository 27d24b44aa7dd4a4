"""How long a fetched document counts: what its host says by Cache-Control, within what the operator says (RFC 9111).

What forbids to store it can't be obeyed by a server whose token endpoint has to know the client; it counts for the
least time that there is.
"""

from __future__ import annotations

from collections.abc import Iterable

from oauthcore.wire.http import Response
from oauthcore.wire.text import OWS, ascii_lower, decimal, strip_ows

_NOT_KEPT = frozenset({"no-store", "no-cache", "private"})


def fresh_for(answer: Response, least: int, most: int) -> int:
    """Return for how many seconds an answer is fresh (RFC 9111 section 4.2.1), no less than `least`."""
    directives = dict(_directives(answer))
    if not _NOT_KEPT.isdisjoint(directives):
        return least
    # This is a cache that many people share (RFC 9111 section 5.2.2.10).
    named = directives.get("s-maxage", directives.get("max-age"))
    seconds = None if named is None else decimal(named, 10)
    if seconds is None:
        return least
    # The time that it has already spent in another cache is subtracted (RFC 9111 section 4.2.3).
    age = decimal(strip_ows(answer.header("age") or ""), 10) or 0
    return min(max(seconds - age, least), most)


def _directives(answer: Response) -> Iterable[tuple[str, str]]:
    for name, value in answer.headers:
        if ascii_lower(name) == "cache-control":
            for directive in value.split(","):
                called, _, argument = directive.strip(OWS).partition("=")
                yield ascii_lower(called.strip(OWS)), argument.strip(OWS + '"')
