"""Whom a token is for, and whether it is in time."""

from __future__ import annotations

import pytest

from oauthcore.jose.compact import Flaw, InvalidJwt
from oauthcore.jose.registered_claims import SKEW, audience_of, check_times

NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("claims", "audience"),
    [({}, ()), ({"aud": "a"}, ("a",)), ({"aud": []}, ()), ({"aud": ["a", "b"]}, ("a", "b")), ({"aud": None}, ())],
)
def test_an_audience_is_one_or_a_list(claims: dict[str, object], audience: tuple[str, ...]) -> None:
    assert audience_of(claims) == audience


@pytest.mark.parametrize("aud", [1, True, {"a": "b"}, ["a", 1], [["a"]], {"0": "https://as.example"}])
def test_an_audience_of_another_shape_is_refused(aud: object) -> None:
    with pytest.raises(InvalidJwt) as refusal:
        audience_of({"aud": aud})

    assert refusal.value.flaw is Flaw.CLAIM_TYPE


@pytest.mark.parametrize(
    ("claims", "flaw"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW + 0.5, "iat": NOW - 0.5, "nbf": NOW}, None),
        ({"exp": NOW - SKEW + 1}, None),
        ({"exp": NOW - SKEW}, Flaw.EXPIRED),
        ({"exp": 0}, Flaw.EXPIRED),
        ({"exp": -1}, Flaw.EXPIRED),
        ({}, Flaw.NO_EXPIRY),
        ({"exp": None}, Flaw.NO_EXPIRY),
        ({"exp": NOW + 1, "nbf": NOW + SKEW}, None),
        ({"exp": NOW + 999, "nbf": NOW + SKEW + 1}, Flaw.NOT_YET),
        ({"exp": NOW + 1, "iat": NOW + SKEW}, None),
        ({"exp": NOW + 999, "iat": NOW + SKEW + 1}, Flaw.FUTURE),
        ({"exp": str(NOW + 1)}, Flaw.CLAIM_TYPE),
        ({"exp": True}, Flaw.CLAIM_TYPE),
        ({"exp": [NOW + 1]}, Flaw.CLAIM_TYPE),
    ],
)
def test_a_token_is_taken_in_its_time_alone(claims: dict[str, object], flaw: Flaw | None) -> None:
    if flaw is None:
        check_times(claims, NOW)
        return
    with pytest.raises(InvalidJwt) as refusal:
        check_times(claims, NOW)

    assert refusal.value.flaw is flaw


def test_a_token_need_not_expire_where_that_is_said() -> None:
    check_times({"iat": NOW}, NOW, must_expire=False)

    with pytest.raises(InvalidJwt):
        check_times({"exp": NOW - 1}, NOW, skew=0, must_expire=False)
