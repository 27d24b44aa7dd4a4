"""The language of a page: the available one that the browser prefers."""

from __future__ import annotations

import gettext
import re
from collections.abc import Sequence
from pathlib import Path

from oauthcore.wire.text import ascii_lower, strip_ows

DOMAIN = "oauthcore"
OWN = Path(__file__).parent / "locale"

# RFC 9110 section 12.4.2. `float` would also accept nan, which can't be sorted, and digits of other scripts.
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def best(accept_language: str | None, languages: Sequence[str]) -> str:
    """Choose from an Accept-Language header (RFC 9110 section 12.5.4); the first language is the default."""
    wishes = sorted(wishes_in(accept_language or ""), key=lambda wish: -wish[1])
    refused = {language for language, quality in wishes if quality == 0}
    acceptable = [language for language in languages if ascii_lower(language) not in refused] or list(languages)
    for wish, quality in wishes:
        if quality == 0:
            break
        for language in acceptable:
            # RFC 4647 section 3.4, lookup: without de-AT, de is the next best.
            if wish == "*" or (wish + "-").startswith(ascii_lower(language) + "-"):
                return language
    return acceptable[0]


def wishes_in(header: str) -> list[tuple[str, float]]:
    """Parse the header's language ranges with their qualities; invalid ones are left out."""
    wishes: list[tuple[str, float]] = []
    for part in header.split(",")[:50]:
        language, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        quality = strip_ows(value) if ascii_lower(strip_ows(name)) == "q" else "1"
        if strip_ows(language) and _QUALITY.fullmatch(quality):
            wishes.append((ascii_lower(strip_ows(language)), float(quality)))
    return wishes


def translations(language: str, own: Path | None) -> gettext.NullTranslations:
    """Load a language's texts: the operator's, then the package's, then the English originals."""
    texts = gettext.translation(DOMAIN, OWN, [language], fallback=True)
    if own is None:
        return texts
    theirs = gettext.translation(DOMAIN, own, [language], fallback=True)
    theirs.add_fallback(texts)
    return theirs
