"""Whole lifetimes of grants against a small model: authorize, redeem, refresh, replay, revoke, and time passing.

The model knows four sentences. A code works once, and its second use ends its grant. The newest refresh token of a
live grant works; the one before it gives the same pair while the retry window is open and its successor is unused; any
older one ends the grant. A revoked refresh token ends its grant. What is past its time, or on an ended grant, is dead.
"""

from __future__ import annotations

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from tests.core.site import Site, make_site, members

ACCESS, IDLE, ABSOLUTE, RETRY, CODE = 300, 900, 3_600, 90, 60


@attrs.define(eq=False)
class GrantModel:
    """Model a grant: when it began, whether it was ended, and its refresh tokens, oldest first."""

    began_at: int
    ended: bool = False
    refreshes: list[RefreshModel] = attrs.field(factory=list)
    accesses: list[AccessModel] = attrs.field(factory=list)

    def is_live(self, now: int) -> bool:
        """Tell whether anything on it can be live."""
        return not self.ended and now < self.began_at + ABSOLUTE


@attrs.define(eq=False)
class RefreshModel:
    """Model a refresh token; `pair` and `rotated_at` are set when it is used."""

    value: str
    grant: GrantModel
    expires_at: int
    rotated_at: int | None = None
    pair: tuple[str, str] | None = None
    retry_closed: bool = False


@attrs.define(eq=False)
class AccessModel:
    """Model an access token."""

    value: str
    grant: GrantModel
    expires_at: int
    revoked: bool = False


@attrs.define(eq=False)
class CodeModel:
    """Model a code."""

    value: str
    grant: GrantModel
    expires_at: int
    redeemed: bool = False


class GrantLifetimes(RuleBasedStateMachine):
    """Walk through lifetimes at random."""

    codes = Bundle("codes")
    refreshes = Bundle("refreshes")
    accesses = Bundle("accesses")

    def __init__(self) -> None:
        super().__init__()
        self.site: Site = make_site()
        self.grants: list[GrantModel] = []

    @property
    def now(self) -> int:
        """Give the time."""
        return self.site.now

    def _remember(self, grant: GrantModel, answer: dict[str, object]) -> tuple[RefreshModel, AccessModel]:
        over = grant.began_at + ABSOLUTE
        refresh = RefreshModel(str(answer["refresh_token"]), grant, min(self.now + IDLE, over))
        access = AccessModel(str(answer["access_token"]), grant, min(self.now + ACCESS, over))
        assert answer["expires_in"] == access.expires_at - self.now
        assert answer["refresh_token_expires_in"] == refresh.expires_at - self.now
        grant.refreshes.append(refresh)
        grant.accesses.append(access)
        return refresh, access

    @rule(target=codes)
    def authorize(self) -> CodeModel:
        """Approve a request."""
        value = self.site.code()
        grant = GrantModel(self.now)
        self.grants.append(grant)
        return CodeModel(value, grant, self.now + CODE)

    @rule(code=codes, target=refreshes)
    def redeem(self, code: CodeModel) -> object:
        """Redeem a code, for the first time or again."""
        response = self.site.redeem(code.value)
        grant = code.grant
        if code.redeemed:
            assert response.status == 400
            grant.ended = True
            return multiple()
        if self.now >= code.expires_at:
            assert response.status == 400
            return multiple()
        assert response.status == 200
        code.redeemed = True
        return self._remember(grant, members(response))[0]

    @rule(refresh=refreshes, target=refreshes)
    def refresh(self, refresh: RefreshModel) -> object:
        """Use a refresh token: the newest, the one before it, or one long spent."""
        response = self.site.refresh(refresh.value)
        grant = refresh.grant
        if not grant.is_live(self.now) or self.now >= refresh.expires_at:
            assert response.status == 400
            return multiple()
        place = grant.refreshes.index(refresh)
        if place == len(grant.refreshes) - 1:
            assert response.status == 200
            answer = members(response)
            refresh.rotated_at, refresh.pair = self.now, (answer["access_token"], answer["refresh_token"])
            return self._remember(grant, answer)[0]
        in_window = refresh.rotated_at is not None and self.now < refresh.rotated_at + RETRY
        if place == len(grant.refreshes) - 2 and in_window and not refresh.retry_closed:
            assert response.status == 200
            answer = members(response)
            assert (answer["access_token"], answer["refresh_token"]) == refresh.pair
            assert answer["expires_in"] == grant.accesses[-1].expires_at - self.now
            return multiple()
        assert response.status == 400
        grant.ended = True
        return multiple()

    @rule(refresh=refreshes)
    def revoke_refresh(self, refresh: RefreshModel) -> None:
        """Revoke by a refresh token, old or new: the grant ends."""
        assert self.site.revoke(refresh.value).status == 200
        refresh.grant.ended = True

    @rule(refresh=refreshes)
    def revoke_newest_access(self, refresh: RefreshModel) -> None:
        """Revoke the newest access token of a grant: it ends alone, and no retry gives it out again."""
        grant = refresh.grant
        access = grant.accesses[-1]
        was_there = not access.revoked
        assert self.site.revoke(access.value).status == 200
        access.revoked = True
        if was_there and grant.is_live(self.now) and len(grant.refreshes) > 1:
            grant.refreshes[-2].retry_closed = True

    @rule(seconds=st.sampled_from([1, 30, RETRY, ACCESS, IDLE, ABSOLUTE]))
    def time_passes(self, seconds: int) -> None:
        """Let time pass."""
        self.site.clock.advance(seconds)

    @rule(limit=st.integers(0, 5))
    def purge(self, limit: int) -> None:
        """Purge: it must never be noticed."""
        assert self.site.world.storage.purge(self.now, limit) <= limit

    @invariant()
    def exactly_what_the_model_says_is_live(self) -> None:
        """Compare every token ever handed out with the model."""
        for grant in self.grants:
            alive = grant.is_live(self.now)
            for access in grant.accesses:
                expected = alive and not access.revoked and self.now < access.expires_at
                assert self.site.is_active(access.value) == expected
            for refresh in grant.refreshes:
                newest = refresh is grant.refreshes[-1]
                assert self.site.is_active(refresh.value) == (alive and newest and self.now < refresh.expires_at)


TestGrantLifetimes = GrantLifetimes.TestCase
TestGrantLifetimes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
