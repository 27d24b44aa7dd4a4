"""Who may use which client: by the groups that a client requires, and by a function of the host.

No standard says this; RFC 6749 section 4.1.2.1 only names the error, `access_denied`. It is decided from claims of the
user, which the application is asked for each time. So a user who has left a group gets nothing new, and what they were
issued before is not valid any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import as_strings, check_callable, check_kind, check_strings
from oauthcore.records.client import Client

_REMEDY = 'write group: and its name, as in "group:staff"; put | between groups of which one is enough'


@attrs.frozen
class ClientUse:
    """Describe a user who wants to use a client; `claims` are those of the user that the policy named."""

    client: Client
    subject: str
    claims: Mapping[str, object]


def groups_of(requirement: str) -> tuple[str, ...]:
    """Return the groups of one requirement, each of which meets it: `group:staff|group:board` is met by two.

    Raises `ConfigurationError` for one that can't be read.
    """
    groups = []
    for alternative in requirement.split("|"):
        kind, _, name = alternative.partition(":")
        if kind != "group" or not name or not name.isprintable() or " " in {name[0], name[-1]}:
            raise ConfigurationError("require", requirement, _REMEDY)
        groups.append(name)
    return tuple(groups)


def names_in(claim: object) -> frozenset[str]:
    """Return the groups that a claim names: a list of names, or one name alone; anything else names none."""
    if isinstance(claim, str):
        return frozenset({claim})
    if isinstance(claim, list | tuple | set | frozenset):
        return frozenset(name for name in claim if isinstance(name, str))
    return frozenset()


@attrs.frozen(kw_only=True)
class UserPolicy:
    """Say which users may use which client: `AuthorizationServer(user_policy=UserPolicy(...))`.

    A user has to meet every requirement of the client's `require`, by the groups in their claim `groups_claim`. With
    `permits`, that function has to return True as well; it gets a `ClientUse` with the `claims` that are named here. It
    is called whenever something is issued or looked up, so it decides by what it is given: what takes time belongs in
    the world's `claims`, which may be async.

    Raises `ConfigurationError` for invalid settings.
    """

    permits: Callable[[ClientUse], bool] | None = None
    claims: tuple[str, ...] = attrs.field(default=(), converter=as_strings)
    groups_claim: str = "groups"

    def __attrs_post_init__(self) -> None:
        check_strings("claims", self.claims)
        check_kind("groups_claim", self.groups_claim, str, "name the claim that has a user's groups")
        if self.permits is not None:
            check_callable("permits", self.permits, "give a function of a ClientUse, or leave it out")
        elif self.claims:
            raise ConfigurationError("claims", self.claims, "give the function that reads them: permits=…")

    def restricts(self, client: Client) -> bool:
        """Return whether the client is limited to some users; if it is not, nothing is asked or decided."""
        return self.permits is not None or bool(client.require)

    def claims_for(self, client: Client) -> tuple[str, ...]:
        """Return the claims that the decision needs."""
        return (*self.claims, *((self.groups_claim,) if client.require else ()))

    def allows(self, use: ClientUse) -> bool:
        """Return whether the user may use the client."""
        if use.client.require:
            mine = names_in(use.claims.get(self.groups_claim))
            if not all(mine.intersection(groups_of(requirement)) for requirement in use.client.require):
                return False
        # `is True`: a function that is async by mistake returns a coroutine, which is true whatever it would decide.
        return self.permits is None or self.permits(use) is True


EVERYBODY = UserPolicy()
