"""What a connection may have, and how long it may take: the transport's settings."""

from __future__ import annotations

from typing import assert_never

import attrs

from oauthcore_h11.connection import LIMITS, Limits, Phase, TooLarge
from oauthcore_h11.peer import TrustedProxies


@attrs.frozen(kw_only=True)
class Timeouts:
    """Say how long to wait, in seconds: for each phase as a whole, so that no trickle of bytes prolongs it.

    `wait` is for a place, where all are taken; `linger` for the client to close once it has been told everything.
    """

    idle: float = 75.0
    head: float = 10.0
    body: float = 20.0
    write: float = 30.0
    wait: float = 5.0
    linger: float = 2.0

    def of(self, phase: Phase) -> float:
        """Return how long a phase may take."""
        match phase:
            case Phase.FIRST | Phase.IDLE:
                return self.idle
            case Phase.HANDSHAKE | Phase.HEAD:
                return self.head
            case Phase.BODY:
                return self.body
            case Phase.ANSWER:
                return self.write
            case Phase.CLOSE:
                return self.linger
            case _:
                assert_never(phase)


@attrs.frozen(kw_only=True)
class Settings:
    """Limits of the server, and the proxies it trusts.

    `connections_per_address` is a tenth of all `connections` if it is None. `too_large` is how the endpoint at a path
    refuses a request with too large a body.
    """

    limits: Limits = LIMITS
    timeouts: Timeouts = Timeouts()
    connections: int = 1_000
    connections_per_address: int | None = None
    proxies: TrustedProxies = attrs.Factory(TrustedProxies)
    too_large: TooLarge = lambda path: None

    @property
    def per_source(self) -> int:
        """Return how many connections one address, or one IPv6 /64, may have at once."""
        share = self.connections_per_address
        return max(1, self.connections // 10) if share is None else share


SETTINGS = Settings()
