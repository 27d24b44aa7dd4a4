"""Policies and lifetimes, and what they refuse to be."""

from __future__ import annotations

from typing import Any

import pytest

from oauthcore import Allowance, ConfigurationError, Lifetimes, Policy


def test_the_default_is_what_oauth_21_leaves() -> None:
    policy = Policy.oauth21()

    assert policy.grant_types == {"authorization_code", "refresh_token", "client_credentials"}
    assert policy.response_types == {"code", "none"}
    assert policy.allow == frozenset()


def test_the_older_one_opens_three_things_by_name() -> None:
    policy = Policy.oauth20(allow=[Allowance.PLAIN_PKCE])

    assert "password" in policy.grant_types
    assert "token" in policy.response_types
    assert policy.allow == {
        Allowance.PLAIN_PKCE,
        Allowance.IMPLICIT,
        Allowance.PASSWORD,
        Allowance.CONFIDENTIAL_WITHOUT_PKCE,
    }


def test_a_client_may_be_allowed_what_the_policy_is_not() -> None:
    policy = Policy.oauth21()

    assert not policy.allows(Allowance.PLAIN_PKCE)
    assert policy.allows(Allowance.PLAIN_PKCE, frozenset({Allowance.PLAIN_PKCE}))


@pytest.mark.parametrize(
    ("make", "setting", "remedy"),
    [
        (lambda: Policy(grant_types=frozenset({"password"})), "grant_types", "Allowance.PASSWORD"),
        (lambda: Policy(response_types=frozenset({"token"})), "response_types", "Allowance.IMPLICIT"),
    ],
)
def test_a_danger_that_is_not_named_is_refused(make: Any, setting: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        make()

    assert failure.value.setting == setting
    assert remedy in str(failure.value)


@pytest.mark.parametrize("name", ["access_token_lifetime", "refresh_token_lifetime", "interaction_lifetime"])
def test_a_lifetime_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} = 0: use a number of seconds, 1 or more"):
        Lifetimes(**{name: 0})


def test_only_the_retry_window_may_be_nothing() -> None:
    assert Lifetimes(refresh_retry_lifetime=0).refresh_retry_lifetime == 0
    with pytest.raises(ConfigurationError, match="0 or more"):
        Lifetimes(refresh_retry_lifetime=-1)


def test_a_grant_outlives_its_code() -> None:
    with pytest.raises(ConfigurationError, match="grant_lifetime = 60: make it longer"):
        Lifetimes(grant_lifetime=60, authorization_code_lifetime=60)
