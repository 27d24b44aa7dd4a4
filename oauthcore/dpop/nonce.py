"""Nonces of the server in DPoP proofs, without state: each is derived from a period of time (RFC 9449 section 8).

With a nonce, a proof can't have been made before the server gave it out: neither by who had the key for a moment only
(section 11.2), nor with a clock that runs ahead. All workers with the same key give out the same one in a period, and
take that of the period before and after, as their clocks may differ.
"""

from __future__ import annotations

from oauthcore.digest import Derivation, Secret, same
from oauthcore.errors import UseDpopNonce

HEADER = "DPoP-Nonce"


def current_nonce(derive: Derivation, now: int, lifetime: int) -> str:
    """Return the nonce that is given out now."""
    return _nonce(derive, now // lifetime)


def is_recent(nonce: str, derive: Derivation, now: int, lifetime: int) -> bool:
    """Return whether a nonce was given out less than two lifetimes ago, or by a worker whose clock is ahead."""
    period = now // lifetime
    return any(same(nonce, _nonce(derive, one)) for one in (period, period - 1, period + 1))


def check_nonce(nonce: str | None, derive: Derivation, now: int, lifetime: int) -> None:
    """Raise `UseDpopNonce`, with the nonce to use, for a proof that has none of this server's (section 8)."""
    if nonce is None or not is_recent(nonce, derive, now, lifetime):
        lacking = "has no nonce" if nonce is None else "has a nonce that is too old, or another server's"
        raise UseDpopNonce(f"the DPoP proof {lacking}").with_header(HEADER, current_nonce(derive, now, lifetime))


def _nonce(derive: Derivation, period: int) -> str:
    return derive("dpop_nonce", Secret(str(period))).reveal()
