"""The initial access token: its holder may register a client (RFC 7591 section 1.2)."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest


@attrs.frozen(kw_only=True)
class InitialAccessToken:
    """Remember that a token opens the registration endpoint, `uses` more times, until it expires.

    `key` is its digest; `note` is what the operator calls whoever it was given to, kept with the clients it registers.
    """

    key: Digest
    uses: int
    expires_at: int
    note: str | None = None
