"""Verified e-mail addresses of users, so that a user is found by one (`login_hints`)."""

from __future__ import annotations

from typing import ClassVar

import attrs

from oauthcore.flow.outcome import Change, Delete, Insert
from oauthcore.flow.storage import AsyncStorage
from oauthcore_h11.profiles import Profile
from oauthcore_h11.spelling import key_of


@attrs.frozen(kw_only=True)
class EmailAddress:
    """Remember that a user has a verified address.

    `subject` is the address, in the spelling that all have in common, by which it is found; `user` is the user's
    subject. Several users may have one address.
    """

    found_by_subject: ClassVar[bool] = True

    key: str
    subject: str
    user: str
    expires_at: int | None = None


def address_of(profile: Profile | None) -> str | None:
    """Return a user's verified address (OIDC Core section 5.1), None if they have none."""
    if profile is None:
        return None
    claims = profile.members
    email = claims.get("email")
    # A user may type any address into their profile, so only a verified one finds them.
    return key_of(email) if isinstance(email, str) and email and claims.get("email_verified") is True else None


async def address_changes(storage: AsyncStorage, before: Profile | None, after: Profile | None) -> tuple[Change, ...]:
    """Return the changes that go with a change of a profile, so that its user is found by the address of it alone."""
    old, new = address_of(before), address_of(after)
    changes: list[Change] = []
    if old is not None and before is not None and old != new:
        gone = await storage.find(EmailAddress, record_key(old, before.key))
        changes += [] if gone is None else [Delete(gone)]
    if new is not None and after is not None:
        key = record_key(new, after.key)
        known = await storage.find(EmailAddress, key)
        changes += [Insert(EmailAddress(key=key, subject=new, user=after.key))] if known is None else []
    return tuple(changes)


def record_key(address: str, user: str) -> str:
    """Return the key of the record of one user's address."""
    return f"{address} {user}"
