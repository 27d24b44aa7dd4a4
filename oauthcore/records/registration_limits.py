"""What bounds the number of clients that register themselves: places for them, and counts by address and by user.

Nothing here is ever counted down. A place expires with its client, and a count after a fixed time, so what is purged
needs no bookkeeping and no crash leaves a number wrong.
"""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest


@attrs.frozen(kw_only=True)
class RegistrationSlot:
    """Remember that one of the places for dynamic clients is taken; `key` is the place's number, in decimal."""

    key: str
    client_id: str
    expires_at: int | None = None


@attrs.frozen(kw_only=True)
class RegistrationCount:
    """Remember how many clients one address has registered; `key` is the digest of its network."""

    key: Digest
    count: int
    expires_at: int


@attrs.frozen(kw_only=True)
class KeptClientCount:
    """Remember how many new clients one user has had kept; `key` is the digest of their subject."""

    key: Digest
    count: int
    expires_at: int
