"""The initial access token: its holder may register a client (RFC 7591 section 1.2)."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest


@attrs.frozen(kw_only=True)
class InitialAccessToken:
    """Record that a token may be used at the registration endpoint, `uses` more times, until it expires.

    `key` is its digest; `note` is the operator's name for the holder, copied to the clients that it registers.
    """

    key: Digest
    uses: int
    expires_at: int
    note: str | None = None
