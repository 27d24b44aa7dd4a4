"""Revocation as a change to one record: whatever was issued on a grant ends with it."""

from __future__ import annotations

import attrs

from oauthcore.flow.outcome import Change, Replace
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import GRANT, GrantInput


def revoke_grant(grant: Grant) -> Grant:
    """Return the grant as it is when revoked, from whatever state, without what is needed for a retry."""
    # Without `rotation` the retry window is closed: a thief must not get the pair once more after the revocation.
    return attrs.evolve(grant, state=GRANT[grant.state, GrantInput.REVOKE], refresh_token=None, rotation=None)


def close_retry(grant: Grant) -> tuple[Change, ...]:
    """Close the retry window of a grant's newest rotation, if it has one."""
    return () if grant.rotation is None else (Replace(grant, attrs.evolve(grant, rotation=None)),)
