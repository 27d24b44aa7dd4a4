"""Whatever arrives, a response leaves: never a 500, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore import Request
from tests.core.site import FORM, SECRETS, basic, form, make_site

SITE = make_site()
LIVE = SITE.tokens()
PATHS = (
    "/authorize",
    "/authorize/resume",
    "/token",
    "/introspect",
    "/revoke",
    "/.well-known/oauth-authorization-server",
    "/",
    "",
)
NAMES = st.sampled_from(
    (
        "client_id",
        "client_secret",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "request",
        "grant_type",
        "code",
        "code_verifier",
        "refresh_token",
        "token",
        "token_type_hint",
        "username",
        "password",
        "interaction",
        "proof",
        "resource",
    )
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        (
            "confidential",
            "public",
            "code",
            "none",
            "https://client.example/callback",
            "http://127.0.0.1:99999/cb",
            "S256",
            "query",
            "form_post",
            "authorization_code",
            "refresh_token",
            "client_credentials",
            LIVE["refresh_token"],
            "a" * 43,
            "%",
            "%zz",
            "%00",
        )
    ),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
RIGHT = basic("confidential", SECRETS["confidential"])
HEADERS = st.lists(
    st.one_of(
        st.sampled_from(
            (FORM, RIGHT, ("Cookie", "__Host-oauthcore-browser=x; =; ;;"), ("Authorization", "Basic Og=="))
        ),
        st.tuples(st.sampled_from(("Authorization", "Cookie", "Content-Type", "Origin")), st.text(max_size=30)),
    ),
    max_size=4,
)


def joined(pairs: list[tuple[str, str]]) -> str:
    """Write pairs as a form without encoding a thing."""
    return "&".join(f"{name}={value}" for name, value in pairs)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(("GET", "POST", "HEAD", "OPTIONS", "PUT", "")),
    path=st.one_of(st.sampled_from(PATHS), st.text(max_size=10)),
    query=PAIRS,
    body=st.one_of(st.binary(max_size=60), PAIRS.map(lambda pairs: joined(pairs).encode("utf-8", "surrogatepass"))),
    headers=HEADERS,
    signed_in=st.booleans(),
)
def test_any_request_gets_a_response_that_is_no_500(
    method: str, path: str, query: list[tuple[str, str]], body: bytes, headers: list[tuple[str, str]], signed_in: bool
) -> None:
    request = Request(method, f"{path}?{joined(query)}", tuple(headers), body)

    response = SITE.handle(request, SITE.alice if signed_in else None)

    assert response.status < 500, response.refusal
    assert all("\r" not in value and "\n" not in value for _, value in response.headers)


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/authorize"])
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a megabyte of scope", b"client_id=confidential&grant_type=client_credentials&scope=" + b"a" * 1_000_000),
        ("a NUL", b"client_id=confidential&grant_type=client_credentials&scope=a%00b"),
        ("a raw NUL", b"client_id=confidential&grant_type=client_credentials&scope=a\0b"),
        ("not UTF-8", b"client_id=%ff%fe"),
        ("raw bytes", b"client_id=\xff\xfe"),
        ("a repeated parameter", b"client_id=confidential&client_id=confidential"),
        ("a thousand parameters", b"&".join(b"p%d=1" % n for n in range(1_000))),
        ("half an escape", b"client_id=%"),
        ("nothing", b""),
        ("separators", b"&&&==&=&"),
    ],
)
def test_a_hostile_body_is_refused_with_a_4xx(path: str, name: str, body: bytes) -> None:
    response = SITE.handle(Request("POST", path, (FORM,), body))

    assert 400 <= response.status < 500, name
    assert response.refusal is not None and response.refusal.cause is None


def test_a_megabyte_of_query_is_refused_with_a_page() -> None:
    response = SITE.get("/authorize?client_id=confidential&scope=" + "a" * 1_000_000)

    assert response.status == 400
    assert len(response.body) < 2_000


@pytest.mark.parametrize("value", ["\ud800", "é", "\x7f"])
def test_a_target_outside_ascii_is_no_500(value: str) -> None:
    response = SITE.handle(Request("GET", f"/authorize?client_id={value}"))

    assert response.status == 400


def test_a_state_can_not_split_a_header() -> None:
    response = SITE.authorize(state="a\r\nSet-Cookie: x=y", scope="admin")

    location = response.header("location") or ""
    assert "\r" not in location and "\n" not in location
    assert "state=a%0D%0ASet-Cookie%3A%20x%3Dy" in location


def test_a_long_form_of_what_is_right_is_still_right() -> None:
    response = SITE.post("/token", form(grant_type="client_credentials", padding="x" * 60_000), RIGHT)

    assert response.status == 200
