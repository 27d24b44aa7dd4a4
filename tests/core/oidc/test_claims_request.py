"""The claims parameter (OIDC Core section 5.5)."""

from __future__ import annotations

import json
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.errors import InvalidRequest
from oauthcore.oidc.claims_request import MAX_CLAIMS, NOTHING, ClaimsRequest, Wanted, parse_claims

# OIDC Core section 5.5, the example of the specification.
EXAMPLE = """
{"userinfo": {"given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
  "email_verified": {"essential": true}, "picture": null, "http://example.info/claims/groups": null},
 "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}}
"""


def test_the_example_of_the_specification_is_read() -> None:
    request = parse_claims(EXAMPLE)

    assert request.userinfo["given_name"] == Wanted(essential=True)
    assert request.userinfo["nickname"] == Wanted()
    assert request.id_token["acr"] == Wanted(values=("urn:mace:incommon:iap:silver",))
    assert len(request.userinfo) == 6


def test_nothing_is_asked_for_where_the_parameter_is_absent_or_empty() -> None:
    assert parse_claims(None) is NOTHING
    assert parse_claims("{}") == ClaimsRequest()
    assert parse_claims('{"userinfo": null, "verified_claims": {}}') == ClaimsRequest()


def test_a_request_of_everyday_length_is_read_once_and_a_long_one_is_not_kept() -> None:
    """Whatever anybody sends would stay in memory until enough others had been sent."""
    long = weakref.ref(parse_claims('{"id_token": {"acr": {"values": [' + "{}," * 600 + "{}]}}}"))

    assert parse_claims(EXAMPLE) is parse_claims(EXAMPLE)
    assert long() is None


def test_one_value_is_a_list_of_one() -> None:
    wanted = parse_claims('{"id_token": {"sub": {"value": "alice"}}}').id_token["sub"]

    assert wanted.accepts("alice")
    assert not wanted.accepts("bob")


def test_any_value_will_do_where_none_is_named() -> None:
    assert Wanted().accepts("whatever")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[]",
        '"text"',
        "null",
        '{"userinfo": []}',
        '{"userinfo": {"email": true}}',
        '{"userinfo": {"email": {"essential": "yes"}}}',
        '{"userinfo": {"email": {"values": "one"}}}',
        '{"userinfo": {"email": null, "email": null}}',
        '{"userinfo": {"email#\\ud800": null}}',
        '{"id_token": {"acr": {"value": "\\udfff"}}}',
        '{"id_token": {"acr": {"value": NaN}}}',
        "[" * 100_000,
        json.dumps({"userinfo": {f"claim{number}": None for number in range(MAX_CLAIMS + 1)}}),
    ],
)
def test_what_is_no_claims_request_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="claims"):
        parse_claims(text)


@given(st.text(max_size=50))
def test_whatever_arrives_is_read_or_refused(text: str) -> None:
    try:
        request = parse_claims(text)
    except InvalidRequest:
        return
    assert isinstance(request, ClaimsRequest)


def test_a_number_that_could_not_be_written_down_again_is_refused_at_once() -> None:
    """Else the request would pass, and its code could never be redeemed."""
    with pytest.raises(InvalidRequest, match="larger than any number"):
        parse_claims('{"userinfo": {"email": {"value": 1e400}}}')
