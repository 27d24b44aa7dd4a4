"""Device authorizations: what a device without a browser asked for, and what its user answered (RFC 8628)."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.lifecycle import DeviceState


@attrs.frozen(kw_only=True)
class DeviceAuthorization:
    """Record a request that waits for a user at another device; its key is the digest of the device code.

    `interval` is how many seconds the client was told to wait between two polls, `slow_downs` how often it was told to
    wait longer, and `polled_at` the last poll that was kept. `entries` is how often its user code was entered.
    `subject` is who answered, and `grant` what they allowed.
    """

    key: Digest
    client_id: str
    request: AuthorizationRequest
    issued_at: int
    expires_at: int
    interval: int
    slow_downs: int = 0
    polled_at: int | None = None
    entries: int = 0
    subject: str | None = None
    grant: Digest | None = None
    state: DeviceState = DeviceState.PENDING
    client_generation: str = ""


@attrs.frozen(kw_only=True)
class UserCode:
    """Find a device authorization by its user code, whose digest is the key.

    A user code has 34.5 bits, so a digest alone could be reversed. It is one of what the token key makes of the code:
    who reads the database can't find out the code.
    """

    key: Digest
    authorization: Digest
    expires_at: int


@attrs.frozen(kw_only=True)
class DeviceCount:
    """Count within a window what could be done too often: wrong user codes, say, or what comes from an address.

    `key` is the digest of what is counted, and of whom.
    """

    key: Digest
    count: int
    expires_at: int
