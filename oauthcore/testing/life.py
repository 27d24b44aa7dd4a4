"""Whole lifetimes of grants, walked through a server and held against a small model: the invariants of the house.

The model knows five sentences. A code works once, and its second use ends its grant. The newest refresh token of a live
grant works; the one before it gives the same pair while the retry window is open and its successor is unused; any older
one ends the grant. Scope never grows. A revoked refresh token ends its grant. What is past its time, or on an ended
grant, is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import attrs

from oauthcore.drivers import World, run
from oauthcore.http import Response
from oauthcore.memory import MemoryStorage
from oauthcore.policy import Lifetimes, Policy
from oauthcore.server import AuthorizationServer
from oauthcore.testing.chance import FixedClock, SeededEntropy
from oauthcore.testing.stage import Factory, Stage
from oauthcore.testing.walk import Handle, Walk, members_of

Adapter: TypeAlias = Callable[[AuthorizationServer, World], Handle]
"""Puts a server into a host, and gives how the host is asked."""

SHORT = Policy.oauth21(lifetimes=Lifetimes(access_token_lifetime=300, refresh_token_lifetime=900, grant_lifetime=3_600))
# RFC 6749 section 5.1: what `Walk`'s client may have, narrowest first.
SCOPES = ("email", "email profile", "email profile read")


@attrs.define(eq=False)
class GrantModel:
    """Model a grant: when it began, for what, whether it was ended, and its tokens, oldest first."""

    began_at: int
    over_at: int
    scope: str
    ended: bool = False
    refreshes: list[RefreshModel] = attrs.field(factory=list, repr=False)
    accesses: list[AccessModel] = attrs.field(factory=list, repr=False)

    def is_live(self, now: int) -> bool:
        """Tell whether anything on it can be live."""
        return not self.ended and now < self.over_at


@attrs.define(eq=False)
class CodeModel:
    """Model a code."""

    value: str = attrs.field(repr=False)
    verifier: str = attrs.field(repr=False)
    grant: GrantModel
    expires_at: int
    redeemed: bool = False


@attrs.define(eq=False)
class RefreshModel:
    """Model a refresh token; `answer` and `rotated_at` are set when it is used."""

    value: str = attrs.field(repr=False)
    grant: GrantModel
    expires_at: int
    rotated_at: int | None = None
    answer: dict[str, Any] | None = attrs.field(default=None, repr=False)
    retry_closed: bool = False


@attrs.define(eq=False)
class AccessModel:
    """Model an access token."""

    value: str = attrs.field(repr=False)
    grant: GrantModel
    expires_at: int
    revoked: bool = False


@attrs.frozen
class Act:
    """Say what happens next in a lifetime: to which of the codes or tokens there are, counted round, and how."""

    name: Literal["authorize", "redeem", "redeem_wrongly", "refresh", "revoke_refresh", "revoke_access", "wait"]
    which: int = 0
    scope: str | None = None
    seconds: int = 0


class Life:
    """Live through acts over one fresh server, and assert after each what the model says."""

    def __init__(
        self, storage: Factory = MemoryStorage, adapter: Adapter | None = None, policy: Policy = SHORT
    ) -> None:
        self.clock, entropy = FixedClock(), SeededEntropy()
        self._stage = Stage(storage)
        world = World(self._stage.storage)
        server = AuthorizationServer(
            issuer="https://as.example", clock=self.clock, entropy=entropy, token_key=bytes(range(32)), policy=policy
        )
        handle = None if adapter is None else adapter(server, world)
        self.walk = Walk.begin(server, lambda flow: run(flow, world), SeededEntropy(1), handle)
        self.lifetimes = policy.lifetimes
        self.storage = world.storage
        self.grants: list[GrantModel] = []
        self.codes: list[CodeModel] = []
        self.refreshes: list[RefreshModel] = []

    @property
    def now(self) -> int:
        """Give the time."""
        return int(self.clock.now)

    def close(self) -> None:
        """Clear the storage away."""
        self._stage.__exit__(None)

    def play(self, acts: Iterable[Act]) -> None:
        """Play acts in order; one that has nothing to act on yet is passed over."""
        for act in acts:
            self._play(act)
            self.check()

    def authorize(self, scope: str = SCOPES[1]) -> CodeModel:
        """Approve a request."""
        value, verifier = self.walk.code(scope=scope)
        grant = GrantModel(self.now, self.now + self.lifetimes.grant_lifetime, scope)
        code = CodeModel(value, verifier, grant, self.now + self.lifetimes.authorization_code_lifetime)
        self.grants.append(grant)
        self.codes.append(code)
        return code

    def redeem(self, code: CodeModel) -> RefreshModel | None:
        """Redeem a code, for the first time or again."""
        response = self.walk.redeem(code.value, code.verifier)
        if code.redeemed:
            _refused(response, "invalid_grant", "a code that was redeemed before")
            code.grant.ended = True
            return None
        if self.now >= code.expires_at:
            _refused(response, "invalid_grant", "a code that has expired")
            return None
        code.redeemed = True
        return self._given(code.grant, _granted(response, "a code"))

    def redeem_wrongly(self, code: CodeModel) -> None:
        """Redeem a code with a verifier that is not its own: refused, and nothing else."""
        response = self.walk.redeem(code.value, "x" * 43)
        _refused(response, "invalid_grant", "a code with another verifier")

    def refresh(self, token: RefreshModel, scope: str | None = None) -> RefreshModel | None:
        """Use a refresh token: the newest, the one before it, or one long spent."""
        grant = token.grant
        response = self.walk.refresh(token.value, **({} if scope is None else {"scope": scope}))
        if not grant.is_live(self.now) or self.now >= token.expires_at:
            _refused(response, "invalid_grant", "a refresh token that is dead")
            return None
        place = grant.refreshes.index(token) - len(grant.refreshes)
        is_retry = place == -2 and self._in_window(token)
        if place != -1 and not is_retry:
            _refused(response, "invalid_grant", "a refresh token that was used before")
            grant.ended = True
            return None
        if scope is not None and not set(scope.split()) <= set(grant.scope.split()):
            _refused(response, "invalid_scope", f"{scope} on a grant for {grant.scope}")
            return None
        answer = _granted(response, "the newest refresh token" if place == -1 else "an honest retry")
        if is_retry:
            self._is_same(token, answer)
            return None
        token.rotated_at, token.answer = self.now, answer
        return self._given(grant, answer, scope)

    def revoke_refresh(self, token: RefreshModel) -> None:
        """Revoke by a refresh token, old or new: the grant ends."""
        assert self.walk.revoke(token.value).status == 200, "a revocation was refused"
        token.grant.ended = True

    def revoke_access(self, grant: GrantModel) -> None:
        """Revoke the newest access token of a grant: it ends alone, and no retry gives it out again."""
        access = grant.accesses[-1]
        was_there = not access.revoked
        assert self.walk.revoke(access.value).status == 200, "a revocation was refused"
        access.revoked = True
        if was_there and grant.is_live(self.now) and len(grant.refreshes) > 1:
            grant.refreshes[-2].retry_closed = True

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def purge(self, limit: int) -> None:
        """Purge: it must never be noticed."""
        assert self.storage.purge(self.now, limit) <= limit, "a purge took more than its limit"

    def check(self) -> None:
        """Ask about every token that was ever handed out, and compare it with the model."""
        for grant in self.grants:
            alive = grant.is_live(self.now)
            for access in grant.accesses:
                expected = alive and not access.revoked and self.now < access.expires_at
                assert self.walk.is_active(access.value) is expected, _told("an access token", expected, grant)
            for number, token in enumerate(grant.refreshes):
                expected = alive and number == len(grant.refreshes) - 1 and self.now < token.expires_at
                assert self.walk.is_active(token.value) is expected, _told("a refresh token", expected, grant)

    def _play(self, act: Act) -> None:
        match act.name:
            case "authorize":
                self.authorize(act.scope or SCOPES[1])
            case "wait":
                self.wait(act.seconds)
            case "redeem" | "redeem_wrongly" if self.codes:
                getattr(self, act.name)(self.codes[act.which % len(self.codes)])
            case "refresh" if self.refreshes:
                self.refresh(self.refreshes[act.which % len(self.refreshes)], act.scope)
            case "revoke_refresh" if self.refreshes:
                self.revoke_refresh(self.refreshes[act.which % len(self.refreshes)])
            case "revoke_access" if self.refreshes:
                self.revoke_access(self.refreshes[act.which % len(self.refreshes)].grant)
            case _:
                pass

    def _in_window(self, token: RefreshModel) -> bool:
        window = self.lifetimes.refresh_retry_lifetime
        return token.rotated_at is not None and self.now < token.rotated_at + window and not token.retry_closed

    def _given(self, grant: GrantModel, answer: dict[str, Any], asked: str | None = None) -> RefreshModel:
        scope = set(answer.get("scope", "").split())
        assert scope <= set(grant.scope.split()), f"{scope} was given on a grant for {grant.scope}: scope has grown"
        assert asked is None or scope == set(asked.split()), f"{scope} was given where {asked} was asked for"
        refresh_until = min(self.now + self.lifetimes.refresh_token_lifetime, grant.over_at)
        token = RefreshModel(str(answer["refresh_token"]), grant, refresh_until)
        access_until = min(self.now + self.lifetimes.access_token_lifetime, grant.over_at)
        grant.accesses.append(AccessModel(str(answer["access_token"]), grant, access_until))
        assert answer["expires_in"] == access_until - self.now, "expires_in is not when the token expires"
        grant.refreshes.append(token)
        self.refreshes.append(token)
        return token

    def _is_same(self, token: RefreshModel, answer: dict[str, Any]) -> None:
        assert token.answer is not None
        for name in ("access_token", "refresh_token", "scope"):
            assert answer[name] == token.answer[name], f"an honest retry got another {name}"


def _granted(response: Response, what: str) -> dict[str, Any]:
    assert response.status == 200, f"{what} was refused: {response.refusal}"
    return members_of(response)


def _refused(response: Response, code: str, what: str) -> None:
    assert response.status == 400, f"{what} was answered with {response.status}"
    members = members_of(response)
    assert members.get("error") == code, f"{what} was refused as {members.get('error')}, not as {code}"
    assert not any(name.endswith("_token") for name in members), f"{what} was refused, and given a token"


def _told(what: str, expected: bool, grant: GrantModel) -> str:
    ended = "an ended" if grant.ended else "a"
    return (
        f"{what} of {ended} grant is {'dead' if expected else 'live'}, and should be {'live' if expected else 'dead'}"
    )
