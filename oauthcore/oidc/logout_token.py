"""The logout token: that a session has ended, for one client to read (OIDC Back-Channel Logout 1.0 section 2.4)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.client_keys import encryption_for
from oauthcore.oidc.sid import sid_for
from oauthcore.oidc.subject import subject_for
from oauthcore.records.client import Client
from oauthcore.records.login import LoginSession, LogoutDelivery

EVENT = "http://schemas.openid.net/event/backchannel-logout"
# Section 2.4 recommends two minutes at most: it is read at once, or created again for the next try.
LIFETIME = 120
# After this time, a client that could not be notified has long ended its own session.
DELIVERY_LIFETIME = 86_400


def queued(client: Client, session: LoginSession, context: Context) -> LogoutDelivery:
    """Create the record of a notification that is due to a client."""
    return LogoutDelivery(
        key=context.digest("logout", context.mint()),
        client_id=client.client_id,
        person=session.subject,
        sid=session.key,
        queued_at=context.now,
        next_try_at=context.now,
        expires_at=context.now + DELIVERY_LIFETIME,
        client_generation=client.generation,
    )


def logout_token(client: Client, delivery: LogoutDelivery, context: Context) -> Jwt:
    """Say whose session has ended, and which. Never a nonce: that would make it an ID token (section 2.4).

    Each try has its own `jti`, since a client that has seen it refuses it the next time. Raises `DocumentNeeded`, and
    `InvalidRequest` if it must be encrypted and can't be.
    """
    claims: dict[str, object] = {
        "iss": context.issuer,
        "sub": subject_for(client, delivery.person, context),
        "aud": client.client_id,
        "iat": context.now,
        "exp": context.now + LIFETIME,
        # Back-Channel Logout section 2.4: REQUIRED, so that the client can detect a replay.
        "jti": context.mint().reveal(),
        # Back-Channel Logout section 2.4: the event claim makes it a logout token; the value is an empty object.
        "events": {EVENT: {}},
        "sid": sid_for(client, delivery.sid, context),
    }
    alg = client.id_token_signed_response_alg
    # Back-Channel Logout section 2.4 recommends explicit typing: it must not be taken for an ID token.
    return Jwt(claims, alg, typ="logout+jwt", encryption=encryption_for(client, "id_token", context))
