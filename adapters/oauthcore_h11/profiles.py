"""Profiles: what is known of a person beside how they sign in, as OpenID Connect names it (OIDC Core section 5.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import attrs

from oauthcore import ConfigurationError, KnownUser
from oauthcore.flow.effects import Claims
from oauthcore.flow.storage import AsyncStorage
from oauthcore.jose.strict_json import parse_value
from oauthcore.openid import RESERVED_CLAIMS
from oauthcore.records.client_subject import check_subject

# A name is a line, an address a few lines; more is a mistake, and would be in every token.
MAX_CLAIMS = 4_096

# The claim that has the groups that a user is in; clients see it only with a scope for it.
GROUPS = "groups"

# The claims whose values are no texts (OIDC Core section 5.1).
_TYPED = frozenset({"email_verified", "phone_number_verified", "updated_at", "address"})


@attrs.frozen(kw_only=True)
class Profile:
    """Remember a person's claims, as JSON, by subject; and whether they are `enabled`, as their `User` says."""

    key: str
    claims: str = attrs.field(repr=False)
    enabled: bool = True
    expires_at: int | None = None

    @property
    def members(self) -> dict[str, object]:
        """Return the claims."""
        members: dict[str, object] = json.loads(self.claims)
        return members


def profile_of(subject: str, claims: Mapping[str, object]) -> Profile:
    """Make a profile; raises `ConfigurationError` for claims that are the server's to say, or very long ones.

    Likewise for a subject that a client's could be taken for.
    """
    check_subject(subject)
    if ours := sorted(RESERVED_CLAIMS.intersection(claims)):
        raise ConfigurationError("claims", ours, "leave these out: the server sets them itself")
    text = json.dumps(claims, ensure_ascii=False, sort_keys=True)
    if len(text) > MAX_CLAIMS:
        raise ConfigurationError("claims", f"{len(text)} characters", f"use at most {MAX_CLAIMS}")
    return Profile(key=subject, claims=text)


def check_groups(setting: str, groups: Iterable[str]) -> list[str]:
    """Return names of groups as the claim `groups` has them; raises `ConfigurationError` for what is no name."""
    names = list(dict.fromkeys(groups))
    for name in names:
        if not name or not name.isprintable() or " " in {name[0], name[-1]} or "|" in name:
            remedy = "use printable characters, without | and without spaces around them, as in staff"
            raise ConfigurationError(setting, name, remedy)
    return names


def parse_claims(pairs: Iterable[str]) -> dict[str, object]:
    """Read claims as a command line has them, `name=value`; raises `ConfigurationError`.

    A value is a text, whatever it looks like, but for the few claims that are no texts: those are JSON. A blank value
    takes the claim away.
    """
    claims: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigurationError("--claim", pair, "use name=value, as in email=alice@example.com")
        claims[name] = _value(name, value)
    return claims


def _value(name: str, value: str) -> object:
    if not value:
        return None
    if name not in _TYPED and not value.startswith(("{", "[")):
        return value
    try:
        return parse_value(value)
    except ValueError:
        raise ConfigurationError("--claim", f"{name}={value}", "give its value as JSON: true, 12 or {…}") from None


async def known_of(storage: AsyncStorage, wanted: Claims) -> KnownUser | None:
    """Return what is known of a user, None for one who is no user here any more, or is disabled.

    A user and their profile are added, disabled and removed in one commit, and declared together: so one find is enough
    for both.
    """
    profile = await storage.find(Profile, wanted.subject)
    return KnownUser(profile.members, (profile,)) if profile is not None and profile.enabled else None
