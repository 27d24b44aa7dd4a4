"""Keys that another party publishes and changes: when a token is reason enough to look for newer ones.

Anybody can send a token that no key fits. How often that makes us ask is decided by whoever finds the newer keys.
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
    """Verify a token by the keys that are known, or by newer ones where none of those is the one that it names.

    Many tokens name no key, so that a wrong signature is all that tells of a new one (OIDC Core section 10.1.1). Raises
    `InvalidJwt`, and what finding the keys raises.
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
