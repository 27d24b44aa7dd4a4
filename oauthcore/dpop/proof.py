"""DPoP proofs: whether a JWT proves that a request was made with a key (RFC 9449 section 4.3).

The checks are in the order of that section. What is expected comes from configuration and from the request line, never
from its `Host` header: a proof that an attacker obtained for a server of their own would be good here, too.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping

from oauthcore.digest import Secret, base64url, same
from oauthcore.dpop.htu import expected_form, normalised
from oauthcore.errors import InvalidDpopProof
from oauthcore.jose.compact import InvalidJwt
from oauthcore.jose.crypto import SelfSigned, VerifyOwnKey
from oauthcore.jose.registered_claims import check_times, type_of
from oauthcore.jose.strict_json import is_time
from oauthcore.per_request import per_request
from oauthcore.wire.http import Request

# One with an RSA key of 4096 bits has less than 3 kB.
MAX_LENGTH = 8_192
# A UUID has 36. It is remembered as a digest; the limit is for what is logged.
MAX_JTI_LENGTH = 512


@per_request
class Expected:
    """Say which proofs are for a request: of its method and URL, made at most `lifetime` seconds ago.

    Its `iat` may be `skew` seconds ahead of `now`. With an `access_token`, the proof has to be for that token. An
    `alias` is another URL of the same endpoint.
    """

    method: str
    url: str
    now: int
    algorithms: Collection[str]
    lifetime: int
    skew: int
    access_token: Secret | None = None
    alias: str | None = None


@per_request
class DpopProof:
    """Prove that a request was made by who has the key of thumbprint `jkt`; whether once, storage has to say.

    `jti` is good once with that key until `expires_at`. `nonce` is what the client was given, if it says so.
    """

    jkt: str
    jti: str
    expires_at: int
    nonce: str | None = None

    @property
    def identity(self) -> Secret:
        """Return what is good once, to be digested: with another key, the same `jti` is another proof."""
        return Secret(f"{self.jkt} {self.jti}")


def proof_of(request: Request) -> str | None:
    """Return the proof of a request, None if it has none; raises `InvalidDpopProof` for several (step 1)."""
    values = request.headers_named("dpop")
    if len(values) > 1:
        raise InvalidDpopProof("the DPoP header is repeated")
    return values[0] if values else None


def read_proof(text: str, expected: Expected, verify: VerifyOwnKey) -> DpopProof:
    """Return what a proof proves; raises `InvalidDpopProof` if it is not one for this request."""
    # Before anything is decoded, so that what is too long costs nothing.
    if len(text) > MAX_LENGTH:
        raise InvalidDpopProof("the DPoP proof is too long")
    try:
        # Steps 2 and 5 to 7: a JWT with an asymmetric algorithm of the list, signed by the public key in its header.
        verified = verify(text, expected.algorithms)
        # RFC 7519 sections 4.1.4 and 4.1.5: RFC 9449 has no use for exp and nbf, but a JWT that has them means it.
        check_times(verified.claims, expected.now, skew=expected.skew, must_expire=False)
    except InvalidJwt as invalid:
        raise InvalidDpopProof(f"the DPoP proof is refused: {invalid}") from None
    check_type(verified)
    check_target(verified.claims, expected)
    jti, issued_at = jti_of(verified.claims), issued_at_of(verified.claims, expected)
    if expected.access_token is not None:
        check_hash(verified.claims, expected.access_token)
    nonce = verified.claims.get("nonce")
    if not isinstance(nonce, str | None):
        raise InvalidDpopProof("nonce of the DPoP proof is not a string")
    return DpopProof(verified.key.bare_thumbprint, jti, math.ceil(issued_at) + expected.lifetime + 1, nonce)


def check_type(verified: SelfSigned) -> None:
    """Check that it says that it is a proof (step 4): nothing else that the key has signed is one (RFC 8725 3.11)."""
    if type_of(verified.header) != "dpop+jwt":
        raise InvalidDpopProof("typ of the DPoP proof is not dpop+jwt")


def check_target(claims: Mapping[str, object], expected: Expected) -> None:
    """Check method and URL (steps 8 and 9)."""
    # RFC 9110 section 9.1: the method is case-sensitive.
    if claims.get("htm") != expected.method:
        raise InvalidDpopProof("htm of the DPoP proof is not the method of the request")
    htu = claims.get("htu")
    if htu == expected.url:
        return
    named = normalised(htu) if isinstance(htu, str) else None
    urls = (expected.url,) if expected.alias is None else (expected.url, expected.alias)
    # What is no URL matches nothing, not even another that is none.
    if named is None or named not in map(expected_form, urls):
        raise InvalidDpopProof("htu of the DPoP proof is not the URL of the request, as this server is configured")


def jti_of(claims: Mapping[str, object]) -> str:
    """Return the identifier, by which the proof is good once (step 3, and section 11.1)."""
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or len(jti) > MAX_JTI_LENGTH:
        raise InvalidDpopProof("the DPoP proof has no jti, or one that is too long")
    return jti


def issued_at_of(claims: Mapping[str, object], expected: Expected) -> float:
    """Return when the proof was made, which has to be just now (step 11)."""
    iat = claims.get("iat")
    if not is_time(iat):
        raise InvalidDpopProof("the DPoP proof has no iat")
    if iat > expected.now + expected.skew:
        raise InvalidDpopProof("iat of the DPoP proof is in the future: one of the two clocks is wrong")
    if iat < expected.now - expected.lifetime:
        raise InvalidDpopProof("the DPoP proof is too old, or one of the two clocks is wrong")
    return iat


def check_hash(claims: Mapping[str, object], access_token: Secret) -> None:
    """Check that the proof is for the token that it came with (step 12): else one fits any token of the key."""
    ath = claims.get("ath")
    if not isinstance(ath, str) or not same(ath, hash_of(access_token)):
        raise InvalidDpopProof("ath of the DPoP proof is not the hash of the access token")


def hash_of(access_token: Secret) -> str:
    """Return the `ath` of a token (RFC 9449 section 4.2)."""
    return base64url(hashlib.sha256(access_token.reveal().encode("ascii", "replace")).digest())
