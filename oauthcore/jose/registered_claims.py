"""The claims that every JWT may have, judged (RFC 7519 section 4.1): whom it is for, and whether it is in time."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.jose.compact import Flaw, InvalidJwt
from oauthcore.jose.strict_json import is_time
from oauthcore.wire.text import ascii_lower

# Clocks of servers differ by seconds. OIDC Core section 3.1.3.7 leaves it to "a few minutes at most".
SKEW = 60


def audience_of(claims: Mapping[str, object]) -> tuple[str, ...]:
    """Return whom a token is for: one string or a list of them in JSON, nobody if there is no `aud`."""
    aud = claims.get("aud")
    # RFC 7519 section 4.1.3: one string or an array of strings; anything else is refused, not ignored.
    if aud is None:
        return ()
    members = [aud] if isinstance(aud, str) else aud
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        raise InvalidJwt(Flaw.CLAIM_TYPE)
    return tuple(members)


def type_of(header: Mapping[str, object]) -> str:
    """Return the kind of token that its header says it is, in lower case, blank where it does not (RFC 7515 4.1.9)."""
    return ascii_lower(str(header.get("typ") or "")).removeprefix("application/")


def check_times(claims: Mapping[str, object], now: int, *, skew: int = SKEW, must_expire: bool = True) -> None:
    """Refuse what has expired, is not valid yet or claims to be from the future; raises `InvalidJwt`.

    `skew` is by how many seconds its maker's clock may differ. With `must_expire`, `exp` has to be there.
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
