"""The people of an issuer for tests: what is known of each, and who signs in next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from oauthcore.flow.effects import Claims
from oauthcore.openid import RESERVED_CLAIMS, STANDARD_CLAIMS

_NONE: Mapping[str, object] = MappingProxyType({})
# Those that a scope stands for (OIDC Core section 5.4), which the server releases by itself.
_BY_SCOPE = frozenset(name for names in STANDARD_CLAIMS.values() for name in names)


def _frozen(claims: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(dict(claims))


@attrs.frozen
class User:
    """Somebody who can sign in: `sub` names them, `claims` is what ID tokens and UserInfo say of them.

    The claims that a scope stands for are released with that scope (OIDC Core section 5.4), all others always.
    `access_token_claims` are in access tokens that are JWTs.
    """

    sub: str
    claims: Mapping[str, object] = attrs.field(default=_NONE, converter=_frozen)
    access_token_claims: Mapping[str, object] = attrs.field(default=_NONE, converter=_frozen, kw_only=True)

    @property
    def further_claims(self) -> dict[str, object]:
        """Return the claims that no scope stands for, without those that are the server's own to say."""
        kept = self.claims.keys() - _BY_SCOPE - RESERVED_CLAIMS
        return {name: value for name, value in self.claims.items() if name in kept}


@attrs.frozen(kw_only=True)
class Decision:
    """Say what a person does on the way through an authorization: who signs in, and what they allow.

    `scope` is what they allow of what is requested, all of it where it is None; with `denies` they say no. `auth_time`
    is when they signed in (seconds since the epoch), now where it is None; `acr` and `amr` say how.
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
    """Know the users of one issuer, and in which order they sign in."""

    def __init__(self, default: User = ALICE) -> None:
        self.default = default
        self._known: dict[str, User] = {default.sub: default}
        self._gone: set[str] = set()
        self._next: deque[Decision] = deque()

    def add(self, user: User) -> User:
        """Know a user, in the place of one with the same `sub`."""
        self._known[user.sub] = user
        self._gone.discard(user.sub)
        return user

    def remove(self, sub: str) -> None:
        """Know somebody no more: their tokens are good for nothing, as when an account is deleted."""
        _ = self._known.pop(sub, None)
        self._gone.add(sub)

    def find(self, sub: str) -> User:
        """Return a user; of whom nothing is known but the name, that."""
        return self._known.get(sub) or User(sub)

    def all(self) -> tuple[User, ...]:
        """Return those of whom something is known."""
        return tuple(self._known.values())

    def queue(self, decision: Decision) -> None:
        """Have somebody decide the next authorization that nobody has decided yet."""
        self._next.append(decision)

    def take_next(self) -> Decision | None:
        """Return what was queued first, None if nothing is."""
        return self._next.popleft() if self._next else None

    def put_back(self, decision: Decision) -> None:
        """Have somebody decide the next authorization after all."""
        self._next.appendleft(decision)

    def claims(self, wanted: Claims) -> Mapping[str, object] | None:
        """Answer the core's question for somebody's claims; None for whoever was removed."""
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
    """Make a decision of what a test says, and know its user from then on; `claims` are added to what is known."""
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
