"""Whole lifetimes of grants against the model: authorize, redeem, refresh, replay, revoke, and time passing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore.testing import Act, GrantMachine, Lifetime
from oauthcore.testing.strategies import lifetimes

TestGrantLifetimes = pytest.mark.slow(GrantMachine.TestCase)
TestGrantLifetimes.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@settings(max_examples=30, deadline=None)
@given(acts=lifetimes())
def test_whatever_a_life_is_made_of_a_grant_has_one_live_refresh_token_or_none_once_it_is_over(acts: list[Act]) -> None:
    lifetime = Lifetime()

    lifetime.play(acts)

    assert lifetime.codes[0].redeemed
    for grant in lifetime.grants:
        live = [token for token in grant.refreshes if lifetime.session.is_active(token.value)]
        assert len(live) <= (1 if grant.is_live(lifetime.now) else 0)
        assert live == [] or live == grant.refreshes[-1:]


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_life_that_begins_with_a_theft_ends_its_grant(data: st.DataObject) -> None:
    lifetime = Lifetime()
    lifetime.play([Act("authorize"), Act("redeem"), Act("refresh"), Act("refresh", which=1), Act("refresh")])

    lifetime.play(data.draw(lifetimes()))

    grant = lifetime.grants[0]
    stolen = [*(token.value for token in grant.refreshes), *(token.value for token in grant.accesses)]
    assert len(stolen) == 6
    assert not any(map(lifetime.session.is_active, stolen))
