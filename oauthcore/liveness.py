"""Liveness: a token is live when it and its grant are."""

from __future__ import annotations

from oauthcore.client import Client
from oauthcore.lifecycle import GRANT, GrantInput, advance
from oauthcore.records import AccessToken, Consent, Grant, RefreshToken


def is_live_client(client: Client, now: int) -> bool:
    """Tell whether the client may be served at all."""
    return client.enabled and (client.expires_at is None or now < client.expires_at)


def is_live_grant(grant: Grant | None, now: int) -> bool:
    """Tell whether tokens may be issued and used on that grant."""
    return grant is not None and now < grant.expires_at and advance(GRANT, grant.state, GrantInput.ISSUE) is not None


def is_live_consent(consent: Consent | None, now: int) -> bool:
    """Tell whether a person's consent stands: one that has expired is none, for whoever reads it."""
    return consent is not None and (consent.expires_at is None or now < consent.expires_at)


def is_live(token: AccessToken | RefreshToken, grant: Grant | None, now: int) -> bool:
    """Tell whether a token is good: not expired, its grant live, and a refresh token the newest of its grant."""
    if now >= token.expires_at:
        return False
    if token.grant is None:
        return True
    if grant is None or not is_live_grant(grant, now):
        return False
    return isinstance(token, AccessToken) or token.key == grant.refresh_token
