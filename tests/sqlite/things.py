"""Records to store, of the smallest kinds."""

from __future__ import annotations

import attrs

from oauthcore import Scope
from oauthcore.digest import Digest
from oauthcore.records.grant import Grant


@attrs.frozen
class Thing:
    """Be a record."""

    key: str
    value: int = 0
    expires_at: int | None = None


@attrs.frozen
class Other:
    """Be a record of another kind."""

    key: str
    expires_at: int | None = None


def grant_of(subject: str, key: str) -> Grant:
    """Make somebody's grant."""
    return Grant(
        key=Digest(key), client_id="c", subject=subject, scope=Scope(), auth_time=None, granted_at=0, expires_at=1
    )
