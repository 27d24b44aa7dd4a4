"""Keys that another party publishes and rotates: when a token is a reason to fetch newer ones.

Anybody can send a token that no key fits, so `newer` has to limit how often it fetches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from oauthcore.jose.compact import Flaw, InvalidJwt, read_signed
from oauthcore.jose.crypto import VerifiedJwt, Verify
from oauthcore.jose.jwk import Jwk

Keys: TypeAlias = Callable[[], tuple[Jwk, ...]]

_UNKNOWN = frozenset({Flaw.SIGNATURE, Flaw.UNKNOWN_KEY})


def verify_by_rotating(text: str, algorithms: Collection[str], known: Keys, newer: Keys, verify: Verify) -> VerifiedJwt:
    """Verify a token by the known keys, or by newer ones if none of those has its `kid`.

    Many tokens have no `kid`, and then a wrong signature is the only hint of a new key (OIDC Core section 10.1.1).
    Raises `InvalidJwt`, and the errors of `newer`.
    """
    kid = read_signed(text).kid
    keys = known()
    if kid is not None and all(key.kid != kid for key in keys):
        return verify(text, newer(), algorithms)
    try:
        return verify(text, keys, algorithms)
    except InvalidJwt as invalid:
        if kid is not None or invalid.flaw not in _UNKNOWN:
            raise
    return verify(text, newer(), algorithms)
