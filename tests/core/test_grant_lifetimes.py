"""Whole lifetimes of grants against the model: authorize, redeem, refresh, replay, revoke, and time passing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore.testing import Act, GrantMachine, Life
from oauthcore.testing.strategies import lifetimes

TestGrantLifetimes = GrantMachine.TestCase
TestGrantLifetimes.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@settings(max_examples=30, deadline=None)
@given(acts=lifetimes())
def test_whatever_a_life_is_made_of_it_goes_as_the_model_says(acts: list[Act]) -> None:
    Life().play(acts)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_life_that_begins_with_a_theft_ends_its_grant(data: st.DataObject) -> None:
    life = Life()
    life.play([Act("authorize"), Act("redeem"), Act("refresh"), Act("refresh", which=1), Act("refresh")])

    life.play(data.draw(lifetimes()))

    assert life.grants[0].ended
