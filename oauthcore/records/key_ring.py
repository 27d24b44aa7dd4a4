"""The server's own signing keys, as they are stored."""

from __future__ import annotations

import attrs

from oauthcore.records.lifecycle import KeyState


@attrs.frozen(kw_only=True)
class RingKey:
    """One of the server's own signing keys.

    `public` is its JSON Web Key; `private` is the whole key, encrypted with a key that is derived from the server's
    `token_key`, and None once it no longer signs. So the database alone is not enough to sign.
    """

    kid: str
    alg: str
    public: str
    # Encrypted, and not shown by `repr`: neither a stolen database nor a log is enough to sign.
    private: str | None = attrs.field(repr=False)
    created_at: int
    activated_at: int | None = None
    retired_at: int | None = None
    state: KeyState = KeyState.PUBLISHED


@attrs.frozen(kw_only=True)
class KeyRing:
    """Remember every signing key of an issuer in one record, so that all workers race for it."""

    issuer: str
    # One record, so that of two workers that rotate at the same time one fails, and takes the result of the other.
    keys: tuple[RingKey, ...] = ()

    @property
    def key(self) -> str:
        """Return the issuer."""
        return self.issuer

    @property
    def expires_at(self) -> None:
        """Never expire; what is in it does, one by one."""
        return
