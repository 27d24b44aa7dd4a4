"""Checks of the claims that any JWT may have (RFC 7519 section 4.1): audience, type and times."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.jose.compact import Flaw, InvalidJwt
from oauthcore.jose.strict_json import is_time
from oauthcore.wire.text import ascii_lower

# Clocks differ by seconds. RFC 7519 section 4.1.4 allows "some small leeway, usually no more than a few minutes".
SKEW = 60


def audience_of(claims: Mapping[str, object]) -> tuple[str, ...]:
    """Return the audience, which in JSON is a string or a list of strings; empty if there is no `aud`."""
    aud = claims.get("aud")
    # RFC 7519 section 4.1.3: a string or an array of strings; `read_claims` has refused anything else.
    if aud is None:
        return ()
    members = [aud] if isinstance(aud, str) else aud
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        raise InvalidJwt(Flaw.CLAIM_TYPE)
    return tuple(members)


def type_of(header: Mapping[str, object]) -> str:
    """Return the `typ` of the header in lower case; blank if it has none (RFC 7515 section 4.1.9)."""
    return ascii_lower(str(header.get("typ") or "")).removeprefix("application/")


def check_times(claims: Mapping[str, object], now: int, *, skew: int = SKEW, must_expire: bool = True) -> None:
    """Raise `InvalidJwt` if the token has expired, is not valid yet, or was issued in the future.

    `skew` is the difference between clocks that is tolerated, in seconds. With `must_expire`, `exp` is required.
    """
    exp, nbf, iat = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if exp is None and must_expire:
        raise InvalidJwt(Flaw.NO_EXPIRY)
    if exp is not None and now >= exp + skew:
        raise InvalidJwt(Flaw.EXPIRED)
    if nbf is not None and now < nbf - skew:
        raise InvalidJwt(Flaw.NOT_YET)
    if iat is not None and now < iat - skew:
        raise InvalidJwt(Flaw.FUTURE)


def _time(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if not is_time(value):
        raise InvalidJwt(Flaw.CLAIM_TYPE)
    return value
