"""ID token hints: an ID token of this server's that comes back, to say who is meant (OIDC Core section 3.1.2.1).

It may have expired long ago, and the person may be signed in no longer; that it was signed here is what counts. A token
whose key is published no more can't be told from a forged one, and is refused as such.
"""

from __future__ import annotations

import attrs

from oauthcore.compact import InvalidJwt
from oauthcore.context import Context
from oauthcore.effects import Flow
from oauthcore.jose import Verify
from oauthcore.jwk import SERVER_ALGORITHMS, Jwk
from oauthcore.registered_claims import audience_of


@attrs.frozen
class Hint:
    """Be the evidence that an ID token was made here: for this client, about this person, in this login session."""

    client_id: str
    subject: str
    sid: str | None


def read_hint(text: str | None, context: Context) -> Flow[Hint | None]:
    """Read a hint; None where there is none, or it was not made here."""
    if text is None:
        return None
    keys = yield from context.own_keys()
    return hint_in(text, keys, context.issuer, context.verify)


def hint_in(text: str, keys: tuple[Jwk, ...], issuer: str, verify: Verify) -> Hint | None:
    """Verify a hint by our own keys; an access token is no ID token, though the same key has signed it."""
    try:
        verified = verify(text, keys, SERVER_ALGORITHMS)
        audience = audience_of(verified.claims)
    except InvalidJwt:
        return None
    claims = verified.claims
    subject, sid = claims.get("sub"), claims.get("sid")
    if claims.get("iss") != issuer or len(audience) != 1 or not isinstance(subject, str):
        return None
    if verified.header.get("typ") != "JWT" or "events" in claims:
        return None
    return Hint(audience[0], subject, sid if isinstance(sid, str) else None)
