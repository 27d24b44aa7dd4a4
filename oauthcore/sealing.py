"""Sealing: what the server needs in plain text later is encrypted, under keys that are derived from its token key."""

from __future__ import annotations

from oauthcore.digest import Derivation, Purpose
from oauthcore.jose import crypto


class Sealing:
    """Encrypt texts, and open them again; nothing that was sealed for one purpose can be opened for another."""

    __slots__ = ("_derive",)

    def __init__(self, derive: Derivation) -> None:
        self._derive = derive

    def seal(self, purpose: Purpose, text: str) -> str:
        """Return the encrypted text, another one each time."""
        return crypto.seal(text, self._derive.key(purpose))

    def unseal(self, purpose: Purpose, sealed: str) -> str | None:
        """Return the text; None if it was sealed for another purpose, or under a token key of before."""
        try:
            return crypto.unseal(sealed, self._derive.key(purpose))
        except ValueError:
            return None
