"""The settings of DPoP at the authorization server (RFC 9449)."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import strings
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS

# Those of FAPI 2.0 first, which clients may take in this order.
ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256", "ES384", "RS256")

# RFC 9449 section 11.1: a relatively brief period, on the order of seconds or minutes. A minute forgives slow clients.
LIFETIME = 60
LIFETIMES = range(1, 3_601)
# FAPI 2.0 Security Profile section 5.3.2.1: 10 seconds ahead MUST be accepted, and more than 60 refused.
SKEW = 30
SKEWS = range(61)
# RFC 9449 section 8: it is the server's to say when a nonce is too old.
NONCE_LIFETIME = 300
NONCE_LIFETIMES = range(10, 86_401)


def _algorithms(names: Iterable[str]) -> tuple[str, ...]:
    return strings("dpop.algorithms", names)


@attrs.frozen(kw_only=True)
class Dpop:
    """Bind tokens to a key of the client, where it proves that it has one (RFC 9449).

    `algorithms` are those of the proofs that are accepted. A proof is good for `lifetime` seconds from its `iat`, which
    may be `skew` seconds ahead, and once. With `required`, every client has to send proofs; otherwise those that are
    registered with `dpop_bound_access_tokens`. With `require_nonce`, a proof needs a nonce of this server (section 8),
    which is good for `nonce_lifetime` seconds at least and twice as long at most.
    """

    algorithms: tuple[str, ...] = attrs.field(default=ALGORITHMS, converter=_algorithms)
    lifetime: int = LIFETIME
    skew: int = SKEW
    required: bool = False
    require_nonce: bool = False
    nonce_lifetime: int = NONCE_LIFETIME

    def __attrs_post_init__(self) -> None:
        if not self.algorithms or not set(self.algorithms) <= set(ASYMMETRIC_ALGORITHMS):
            remedy = f"use some of {', '.join(ASYMMETRIC_ALGORITHMS)}"
            raise ConfigurationError("dpop.algorithms", self.algorithms, remedy)
        for name, allowed in (("lifetime", LIFETIMES), ("skew", SKEWS), ("nonce_lifetime", NONCE_LIFETIMES)):
            value = getattr(self, name)
            if value not in allowed:
                raise ConfigurationError(f"dpop.{name}", value, f"use {allowed[0]} to {allowed[-1]} seconds")
