"""The users of an issuer for tests, and the order in which they sign in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from oauthcore.flow.effects import Claims
from oauthcore.openid import RESERVED_CLAIMS, STANDARD_CLAIMS

_NONE: Mapping[str, object] = MappingProxyType({})
# The claims that belong to a scope (OIDC Core section 5.4), which the core releases.
_BY_SCOPE = frozenset(name for names in STANDARD_CLAIMS.values() for name in names)


def _frozen(claims: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(dict(claims))


@attrs.frozen
class User:
    """A user who can sign in: `sub` names them, `claims` are for ID tokens and UserInfo.

    Claims that belong to a scope are released with that scope (OIDC Core section 5.4), all others always.
    `access_token_claims` are in access tokens that are JWTs.
    """

    sub: str
    claims: Mapping[str, object] = attrs.field(default=_NONE, converter=_frozen)
    access_token_claims: Mapping[str, object] = attrs.field(default=_NONE, converter=_frozen, kw_only=True)

    @property
    def further_claims(self) -> dict[str, object]:
        """Return the claims that belong to no scope, without those that the server sets itself."""
        kept = self.claims.keys() - _BY_SCOPE - RESERVED_CLAIMS
        return {name: value for name, value in self.claims.items() if name in kept}


@attrs.frozen(kw_only=True)
class Decision:
    """Say what a user does during an authorization: who signs in, and what they allow.

    `scope` is the part of the requested scope that they allow, None for all; with `denies` they deny. `auth_time` is
    the time of their login (seconds since the epoch), None for now; `acr` and `amr` say how they were authenticated.
    """

    user: User
    scope: tuple[str, ...] | None = None
    denies: bool = False
    acr: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: int | None = None


ALICE = User(
    "alice",
    {
        "name": "Alice Adams",
        "given_name": "Alice",
        "family_name": "Adams",
        "preferred_username": "alice",
        "email": "alice@example.com",
        "email_verified": True,
    },
)


class People:
    """Hold the users of one issuer, and the order in which they sign in."""

    def __init__(self, default: User = ALICE) -> None:
        self.default = default
        self._known: dict[str, User] = {default.sub: default}
        self._gone: set[str] = set()
        self._next: deque[Decision] = deque()

    def add(self, user: User) -> User:
        """Add a user, or replace one with the same `sub`."""
        self._known[user.sub] = user
        self._gone.discard(user.sub)
        return user

    def remove(self, sub: str) -> None:
        """Remove a user: their tokens become invalid, as when an account is deleted."""
        _ = self._known.pop(sub, None)
        self._gone.add(sub)

    def find(self, sub: str) -> User:
        """Return a user; for an unknown name, one without claims."""
        return self._known.get(sub) or User(sub)

    def all(self) -> tuple[User, ...]:
        """Return the users that were added."""
        return tuple(self._known.values())

    def queue(self, decision: Decision) -> None:
        """Queue a decision for the next authorization without one."""
        self._next.append(decision)

    def take_next(self) -> Decision | None:
        """Return the first queued decision; None if there is none."""
        return self._next.popleft() if self._next else None

    def put_back(self, decision: Decision) -> None:
        """Put a decision back at the front of the queue."""
        self._next.appendleft(decision)

    def claims(self, wanted: Claims) -> Mapping[str, object] | None:
        """Return the claims of a user, as the core requests them; None if the user was removed."""
        return None if wanted.subject in self._gone else self.find(wanted.subject).claims


def decision(
    sub: str | User,
    claims: Mapping[str, object] | None,
    people: People,
    *,
    scope: str | Iterable[str] | None = None,
    denies: bool = False,
    acr: str | None = None,
    amr: Iterable[str] = (),
    auth_time: int | None = None,
) -> Decision:
    """Create a decision as a test describes it, and add its user; `claims` are added to the user's."""
    user = sub if isinstance(sub, User) else people.find(sub)
    if claims is not None:
        user = attrs.evolve(user, claims={**user.claims, **claims})
    allowed = scope.split(" ") if isinstance(scope, str) else scope
    return Decision(
        user=people.add(user),
        scope=None if allowed is None else tuple(allowed),
        denies=denies,
        acr=acr,
        amr=tuple(amr),
        auth_time=auth_time,
    )
