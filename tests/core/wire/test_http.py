"""Requests and responses as values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Refusal, Request, Response
from oauthcore.wire import http
from oauthcore.wire.http import MAX_REASON, json_response, see_other


def test_a_target_is_taken_apart_and_nothing_in_it_is_decoded() -> None:
    request = Request("GET", "/a%2Fb?x=%20?y")

    assert (request.path, request.query) == ("/a%2Fb", "x=%20?y")
    assert Request("GET", "/a").query == ""


def test_header_names_are_looked_up_in_lower_case() -> None:
    request = Request("GET", "/", [("X-A", "1"), ("B", "3")])

    assert request.header("x-a") == "1"
    assert request.header("c") is None


def test_lines_of_one_header_are_one_list() -> None:
    """RFC 9110 section 5.3."""
    request = Request("GET", "/", [("X-A", "1"), ("B", "3"), ("x-a", "2")])

    assert request.header("x-a") == "1, 2"
    assert request.headers_named("x-a") == ["1", "2"]


def test_a_responses_headers_are_found_in_any_case() -> None:
    response = Response(200, (("X-A", "1"),))

    assert response.header("x-a") == "1"
    assert response.header("X-B") is None


def test_no_repr_shows_what_may_be_secret() -> None:
    request = Request("POST", "/token?secret1", (("Authorization", "secret2"),), b"secret3")
    response = Response(200, (("Location", "/?code=secret4"),), b"secret5", Refusal("invalid_grant", "a reason"))

    assert repr(request) == "Request(method='POST', target='/token')"
    assert "secret" not in repr(response)
    assert "a reason" in repr(response)


def test_json_is_ascii_and_never_cached() -> None:
    response = json_response(200, {"a": "é"})

    assert json.loads(response.body) == {"a": "é"}
    assert response.body.isascii()
    assert response.header("content-type") == "application/json"
    assert response.header("cache-control") == "no-store"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), _VALUES))
def test_json_is_spelled_as_json_spells_it(members: dict[str, object]) -> None:
    assert json_response(200, members).body == json.dumps(members).encode("ascii")


def test_json_is_spelled_alike_where_python_has_no_encoder_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    members = {"a": "é", "b": [1, None, True], "c": {"d": 0.5}}

    assert "".join(http._encoder()(members, 0)) == json.dumps(members)


def test_what_is_no_json_is_a_bug_that_is_named() -> None:
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        json_response(200, {"a": set()})


def test_a_redirect_repeats_no_method() -> None:
    """RFC 9700 section 4.12."""
    assert see_other("/x").status == 303


@pytest.mark.parametrize("sent", ["a\nERROR forged", "a\rb", "\x1b[2K", "\u2028", "\ud800"])
def test_a_reason_is_one_line_whatever_was_sent(sent: str) -> None:
    reason = Refusal("invalid_request", f"this was sent: {sent}").reason

    assert reason.isprintable() and reason.startswith("this was sent: ")


def test_a_reason_has_an_end() -> None:
    assert Refusal("invalid_scope", "a" * 65_536).reason == "a" * MAX_REASON


def test_two_refusals_are_the_same_whatever_their_cause() -> None:
    assert Refusal("a", "b", KeyError()) == Refusal("a", "b", ValueError())
