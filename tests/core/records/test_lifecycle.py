"""The lifecycles: the whole product of states and inputs, for every table."""

from __future__ import annotations

import pytest

from oauthcore.records.lifecycle import (
    CODE,
    GRANT,
    INTERACTION,
    KEY,
    REFRESH,
    CodeInput,
    CodeState,
    GrantInput,
    GrantState,
    InteractionInput,
    InteractionState,
    KeyInput,
    KeyState,
    RefreshInput,
    RefreshState,
    advance,
)


@pytest.mark.parametrize("event", CodeInput)
@pytest.mark.parametrize("state", CodeState)
def test_a_code_is_redeemed_once_and_nothing_else_happens_to_it(state: CodeState, event: CodeInput) -> None:
    expected = CodeState.REDEEMED if state is CodeState.ACTIVE else None

    assert advance(CODE, state, event) is expected


@pytest.mark.parametrize("event", GrantInput)
@pytest.mark.parametrize("state", GrantState)
def test_a_revoked_grant_stays_revoked_and_issues_nothing(state: GrantState, event: GrantInput) -> None:
    expected = {GrantInput.REVOKE: GrantState.REVOKED, GrantInput.ISSUE: GrantState.ACTIVE}[event]
    if state is GrantState.REVOKED and event is GrantInput.ISSUE:
        assert advance(GRANT, state, event) is None
    else:
        assert advance(GRANT, state, event) is expected


@pytest.mark.parametrize("event", RefreshInput)
@pytest.mark.parametrize("state", RefreshState)
def test_a_refresh_token_goes_from_current_over_superseded_to_spent(state: RefreshState, event: RefreshInput) -> None:
    order = [RefreshState.CURRENT, RefreshState.SUPERSEDED, RefreshState.SPENT]
    following = advance(REFRESH, state, event)

    if state is RefreshState.SPENT:
        assert following is None
    elif state is RefreshState.CURRENT:
        assert following is (RefreshState.SUPERSEDED if event is RefreshInput.PRESENT else None)
    else:
        assert following is not None and order.index(following) >= order.index(state)


@pytest.mark.parametrize("event", InteractionInput)
@pytest.mark.parametrize("state", InteractionState)
def test_an_interaction_is_resumed_only_once_it_was_answered(state: InteractionState, event: InteractionInput) -> None:
    following = advance(INTERACTION, state, event)

    answered = state in {InteractionState.FINISHED, InteractionState.DENIED}
    assert (following is InteractionState.COMPLETED) == (answered and event is InteractionInput.RESUME)
    if state is InteractionState.COMPLETED:
        assert following is None


def test_a_denial_can_not_become_an_approval_nor_the_other_way_round() -> None:
    assert advance(INTERACTION, InteractionState.DENIED, InteractionInput.FINISH) is None
    assert advance(INTERACTION, InteractionState.FINISHED, InteractionInput.DENY) is None


@pytest.mark.parametrize("event", KeyInput)
@pytest.mark.parametrize("state", KeyState)
def test_a_key_goes_forward_and_leaves_only_when_nothing_it_signed_needs_it(state: KeyState, event: KeyInput) -> None:
    order = list(KeyState)
    following = advance(KEY, state, event)

    assert following is None or order.index(following) > order.index(state)
    if following is KeyState.GONE:
        assert (state, event) in {
            (KeyState.REMEMBERED, KeyInput.FORGET),
            (KeyState.PUBLISHED, KeyInput.WITHDRAW),
        }


def test_every_state_but_the_first_is_reached_and_every_input_is_used() -> None:
    for table, states, inputs in (
        (list(CODE.items()), list(CodeState), list(CodeInput)),
        (list(GRANT.items()), list(GrantState), list(GrantInput)),
        (list(REFRESH.items()), list(RefreshState), list(RefreshInput)),
        (list(INTERACTION.items()), list(InteractionState), list(InteractionInput)),
        (list(KEY.items()), list(KeyState), list(KeyInput)),
    ):
        reached = {target for _, target in table} | {states[0]}
        assert reached == set(states)
        assert {event for (_, event), _ in table} == set(inputs)
