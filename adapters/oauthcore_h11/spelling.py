"""What all spellings of a name or an address have in common."""

from __future__ import annotations

import unicodedata


def key_of(name: str) -> str:
    """Return what all spellings of a name share: neither case, Unicode form nor a space around it tells two apart."""
    # A telephone's keyboard adds a space to a name unasked. NFKC has made one of every other that is as wide or wider.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip(" ")
