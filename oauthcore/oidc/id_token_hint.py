"""ID token hints: an ID token of this server that a client sends back, to say who is meant (OIDC Core section 3.1.2.1).

It may have expired long ago, and the user may no longer be signed in; it only has to be signed by this server. Clients
keep ID tokens as long as their own sessions last, so the public half of a key is kept for hints long after its last
token has expired. If even that is gone, the token can't be distinguished from a forged one: it proves nothing, and is
treated as if there were no hint.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.context import Context
from oauthcore.flow.effects import Flow
from oauthcore.jose.compact import Flaw, InvalidJwt, read_claims, read_signed
from oauthcore.jose.crypto import Verify
from oauthcore.jose.jwk import SERVER_ALGORITHMS, Jwk
from oauthcore.jose.registered_claims import audience_of


@attrs.frozen
class Hint:
    """Prove that this server issued an ID token: to this client, about this user, in this login session."""

    client_id: str
    subject: str
    sid: str | None


@attrs.frozen
class UnverifiedHint:
    """A hint that proves nothing: forged, or issued here with a key that is no longer known.

    `client_id` is the client that it names, if it looks like one of ours whose key is gone. That proves no more than
    the parameter `client_id`, which anybody can write. It is None for other hints.
    """

    client_id: str | None = None


def read_hint(text: str | None, context: Context) -> Flow[Hint | UnverifiedHint | None]:
    """Read a hint; None if none was given."""
    if text is None:
        return None
    keys = yield from context.hint_keys()
    return hint_in(text, keys, context.issuer, context.verify)


def hint_in(text: str, keys: tuple[Jwk, ...], issuer: str, verify: Verify) -> Hint | UnverifiedHint:
    """Verify a hint by our own keys; an access token is no ID token, though the same key has signed it."""
    try:
        verified = verify(text, keys, SERVER_ALGORITHMS)
        audience = audience_of(verified.claims)
    except InvalidJwt as invalid:
        return UnverifiedHint(_claimed_client(text, issuer) if invalid.flaw is Flaw.UNKNOWN_KEY else None)
    claims = verified.claims
    subject, sid = claims.get("sub"), claims.get("sid")
    # OIDC Core section 3.1.2.1: this server MUST have issued it. An expired one SHOULD be accepted (RP-Initiated Logout
    # section 2), so `exp` is not checked.
    if not _is_own(verified.header, claims, issuer) or len(audience) != 1 or not isinstance(subject, str):
        return UnverifiedHint()
    return Hint(audience[0], subject, sid if isinstance(sid, str) else None)


def _is_own(header: Mapping[str, object], claims: Mapping[str, object], issuer: str) -> bool:
    """Return whether a token says that it is an ID token of this server's: logout tokens have events."""
    # The same keys sign access tokens (`at+jwt`) and logout tokens; neither says who was authenticated (RFC 8725
    # section 3.12).
    return claims.get("iss") == issuer and header.get("typ") == "JWT" and "events" not in claims


def _claimed_client(text: str, issuer: str) -> str | None:
    """Return the client that an unverified token names, if the token also names this issuer."""
    try:
        signed = read_signed(text)
        claims = read_claims(signed.payload)
        audience = audience_of(claims)
    except InvalidJwt:
        return None
    return audience[0] if _is_own(signed.header, claims, issuer) and len(audience) == 1 else None
