"""Whom a client means by a login hint (OpenID CIBA Core section 7.1): a username, or a verified e-mail address."""

from __future__ import annotations

from collections.abc import Iterable

from oauthcore.flow.effects import Identify
from oauthcore.flow.storage import AsyncStorage
from oauthcore_h11.email_addresses import EmailAddress, address_of
from oauthcore_h11.profiles import Profile
from oauthcore_h11.spelling import key_of
from oauthcore_h11.users import MAX_USERNAME, User


class LoginHints:
    """Find the user whom a hint means. `declared` are the profiles of users that are in no storage."""

    def __init__(self, storage: AsyncStorage, declared: Iterable[Profile] = ()) -> None:
        self._storage = storage
        self._declared: dict[str, set[str]] = {}
        for profile in declared:
            address = address_of(profile)
            if address is not None:
                self._declared.setdefault(address, set()).add(profile.key)

    async def identify(self, wanted: Identify) -> str | None:
        """Return the subject of the user; None if there is none, if they are disabled, or if several have the address.

        A username goes before an address: who gave a user the name of another's address meant it.
        """
        hint = key_of(wanted.login_hint)
        if not hint or len(wanted.login_hint) > MAX_USERNAME:
            return None
        user = await self._storage.find(User, hint)
        if user is not None:
            return user.subject if user.enabled else None
        found = {record.user for record in await self._storage.find_of(EmailAddress, hint)}
        subjects = [subject for subject in found | self._declared.get(hint, set()) if await self._has(subject, hint)]
        return subjects[0] if len(subjects) == 1 else None

    async def _has(self, subject: str, address: str) -> bool:
        """Return whether a user has that address now, and is not disabled."""
        profile = await self._storage.find(Profile, subject)
        return profile is not None and profile.enabled and address_of(profile) == address
