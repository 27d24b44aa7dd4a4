"""Records to store, of the smallest kinds."""

from __future__ import annotations

from oauthcore import Scope
from oauthcore.digest import Digest
from oauthcore.records.grant import Consent, Grant
from tests.sqlite.things import Other, Thing

__all__ = ["LATER", "Other", "Thing", "consent_of", "grant_of"]

# Later than any test will run: what expires before the server's now is kept for the linger alone.
LATER = 2**33


def grant_of(subject: str, key: str, expires_at: int = LATER) -> Grant:
    """Make somebody's grant."""
    return Grant(
        key=Digest(key),
        client_id="c",
        subject=subject,
        scope=Scope(),
        auth_time=None,
        granted_at=0,
        expires_at=expires_at,
    )


def consent_of(subject: str, key: str, expires_at: int | None = LATER) -> Consent:
    """Make somebody's consent."""
    return Consent(key=Digest(key), client_id="c", subject=subject, scope=Scope(), granted_at=0, expires_at=expires_at)
