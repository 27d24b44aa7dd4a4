"""Finding an access token that is shown, opaque or signed: both are stored, and live only as long as what is stored.

A signed one (RFC 9068) is found by its `jti`, once its signature shows that it was made here: the signature alone would
tell nothing of a revocation.
"""

from __future__ import annotations

from oauthcore.compact import InvalidJwt
from oauthcore.context import OwnKeys
from oauthcore.digest import Digest, Digester, Secret
from oauthcore.effects import Flow, find
from oauthcore.jose import Verify
from oauthcore.jwk import SERVER_ALGORITHMS, Jwk
from oauthcore.records import AccessToken


def find_access_token(value: Secret, digest: Digester, own_keys: OwnKeys, verify: Verify) -> Flow[AccessToken | None]:
    """Find an access token, whichever of the two it is."""
    if looks_signed(value):
        return _find_signed(value, digest, own_keys, verify)
    return find(AccessToken, digest("access_token", value))


def _find_signed(value: Secret, digest: Digester, own_keys: OwnKeys, verify: Verify) -> Flow[AccessToken | None]:
    keys = yield from own_keys()
    key = key_of_signed(value, keys, digest, verify)
    return None if key is None else (yield from find(AccessToken, key))


def looks_signed(value: Secret) -> bool:
    """Tell whether it could be a JWT: what this server draws and derives has no full stop in it."""
    return value.reveal().count(".") == 2


def key_of_signed(value: Secret, keys: tuple[Jwk, ...], digest: Digester, verify: Verify) -> Digest | None:
    """Give what a signed access token is stored under; None for one that is not ours, or no access token at all."""
    try:
        verified = verify(value.reveal(), keys, SERVER_ALGORITHMS)
    except InvalidJwt:
        return None
    jti = verified.claims.get("jti")
    # RFC 9068 section 4: an ID token is no access token, though the same key has signed it.
    return digest("jti", Secret(jti)) if verified.header.get("typ") == "at+jwt" and isinstance(jti, str) else None
