"""Tokens of another server: what its answers are taken for, and for how long."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    Access,
    AsyncWorld,
    ConfigurationError,
    IntrospectedTokens,
    MemoryStorage,
    Outgoing,
    Request,
    ResourceServer,
    Response,
    Secret,
    World,
    run,
)
from oauthcore.errors import TemporarilyUnavailable
from oauthcore.resource.introspected import access_of
from oauthcore.testing import FixedClock
from tests.core.site import run_async

NOW = 1_000_000
LIVE = {"active": True, "client_id": "app", "sub": "alice", "scope": "read", "exp": NOW + 100, "iat": NOW, "aud": "api"}


class Elsewhere:
    """Be the other server."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[Outgoing] = []

    def __call__(self, request: Outgoing) -> Response:
        self.asked.append(request)
        return self.answers.pop(0)


def told(**members: object) -> Response:
    return Response(200, (), json.dumps(LIVE | members).encode())


def tokens(clock: Callable[[], float], cache_lifetime: int = 30, capacity: int = 10) -> IntrospectedTokens:
    return IntrospectedTokens(
        "https://as.example/introspect",
        client_id="api",
        client_secret=Secret("s:+cret"),
        clock=clock,
        issuer="https://as.example",
        cache_lifetime=cache_lifetime,
        capacity=capacity,
    )


def ask(found: IntrospectedTokens, elsewhere: Elsewhere, token: str = "token") -> Access | Response:
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))
    return run(ResourceServer(found).verify(request, "read"), World(MemoryStorage(), fetch=elsewhere))


def test_question_is_asked_as_the_standard_has_it() -> None:
    """RFC 7662 section 2.1, RFC 6749 section 2.3.1."""
    elsewhere = Elsewhere(told())

    found = ask(tokens(FixedClock(NOW)), elsewhere)

    (asked,) = elsewhere.asked
    assert (asked.method, asked.url) == ("POST", "https://as.example/introspect")
    assert asked.body == b"token=token&token_type_hint=access_token"
    assert dict(asked.headers)["Authorization"] == "Basic " + base64.b64encode(b"api:s%3A%2Bcret").decode()
    assert isinstance(found, Access)
    assert (found.client_id, found.subject, found.audience, found.claims["iat"]) == ("app", "alice", ("api",), NOW)


def test_nothing_of_the_question_is_shown() -> None:
    elsewhere = Elsewhere(told())
    ask(tokens(FixedClock(NOW)), elsewhere)

    assert "token" not in repr(elsewhere.asked).replace("introspect", "")


def test_async_fetcher_is_awaited() -> None:
    async def fetch(_: Outgoing) -> Response:
        return told()

    request = Request("GET", "/", (("Authorization", "Bearer token"),))
    flow = ResourceServer(tokens(FixedClock(NOW))).verify(request, "read")

    import anyio

    from oauthcore import arun

    assert isinstance(anyio.run(lambda: arun(flow, AsyncWorld(MemoryStorage(), fetch=fetch))), Access)


def test_answer_is_kept_for_a_while_and_not_longer() -> None:
    clock, elsewhere = FixedClock(NOW), Elsewhere(told(), told(active=False))
    found = tokens(clock)

    assert isinstance(ask(found, elsewhere), Access)
    clock.now += 29
    assert isinstance(ask(found, elsewhere), Access)
    assert len(elsewhere.asked) == 1
    clock.now += 1
    assert isinstance(ask(found, elsewhere), Response)


def test_answer_is_never_kept_past_the_tokens_own_end() -> None:
    clock, elsewhere = FixedClock(NOW), Elsewhere(told(exp=NOW + 5), told(active=False))
    found = tokens(clock)

    ask(found, elsewhere)
    clock.now += 5

    assert isinstance(ask(found, elsewhere), Response)


def test_refusal_is_not_kept() -> None:
    elsewhere = Elsewhere(told(active=False), told())
    found = tokens(FixedClock(NOW))

    assert isinstance(ask(found, elsewhere), Response)
    assert isinstance(ask(found, elsewhere), Access)


def test_nothing_is_kept_where_nothing_is_to_be() -> None:
    elsewhere = Elsewhere(told(), told())
    found = tokens(FixedClock(NOW), cache_lifetime=0)

    ask(found, elsewhere)
    ask(found, elsewhere)

    assert len(elsewhere.asked) == 2


def test_crowd_of_tokens_takes_no_more_room_than_it_may() -> None:
    clock = FixedClock(NOW)
    found = tokens(clock, capacity=3)

    for number in range(10):
        ask(found, Elsewhere(told()), f"token{number}")
        assert len(found._cache) <= 3
    ask(found, Elsewhere(told()), "a")
    clock.now += 30
    ask(found, Elsewhere(told()), "b")
    assert len(found._cache) <= 3


@pytest.mark.parametrize(
    "members",
    [
        {"active": False},
        {"exp": NOW - 60},
        {"exp": "soon"},
        {"exp": None},
        {"nbf": NOW + 61},
        {"iss": "https://other.example"},
        {"token_type": "DPoP"},
        {"token_type": "DPoP", "cnf": None},
        {"cnf": "x"},
        {"act": "bob"},
        {"exp": 1e300},
        {"exp": True},
        {"nbf": False},
    ],
)
def test_what_is_not_plainly_a_live_token_is_none(members: dict[str, object]) -> None:
    assert access_of(told(**members), "https://as.example", NOW) is None


@pytest.mark.parametrize(
    "response",
    [
        Response(401),
        Response(302, (("Location", "https://evil.example"),)),
        Response(200, (), b"no JSON"),
        Response(200, (), b"[]"),
        Response(200, (), b'{"active": "true"}'),
        Response(200, (), b"[" * 100_000),
        *(Response(200, (), b'{"active": true, "exp": %b}' % number) for number in (b"NaN", b"1e400", b"9" * 400)),
    ],
)
def test_what_is_no_answer_is_nobodys_fault_but_ours(response: Response) -> None:
    with pytest.raises(TemporarilyUnavailable):
        access_of(response, None, NOW)

    verdict = ask(tokens(FixedClock(NOW)), Elsewhere(response))
    assert isinstance(verdict, Response)
    assert verdict.status == 503


def test_world_without_a_fetcher_says_so() -> None:
    request = Request("GET", "/", (("Authorization", "Bearer token"),))
    flow = ResourceServer(tokens(FixedClock(NOW))).verify(request, "read")

    verdict = run_async(flow, World(MemoryStorage()))

    assert isinstance(verdict, Response)
    assert verdict.status == 503
    assert verdict.refusal is not None
    assert isinstance(verdict.refusal.cause, Exception)
    assert isinstance(verdict.refusal.cause.__cause__, ConfigurationError)


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
_NAMES = ("scope", "client_id", "sub", "exp", "iat", "nbf", "aud", "iss", "token_type")


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(_NAMES), _JSON))
def test_whatever_is_answered_is_an_access_or_none(members: dict[str, object]) -> None:
    found = access_of(Response(200, (), json.dumps({"active": True} | members).encode()), None, NOW)

    if found is not None and found.expires_at is not None:
        assert found.expires_at > NOW - 61


@pytest.mark.parametrize("endpoint", ["http://as.example/introspect", "ftp://as.example", "introspect"])
def test_endpoint_that_would_hear_secrets_in_the_clear_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="endpoint"):
        IntrospectedTokens(endpoint, client_id="a", client_secret=Secret("b"), clock=FixedClock(NOW))


def test_limits_below_nothing_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="cache_lifetime"):
        tokens(FixedClock(NOW), cache_lifetime=-1)


def test_g7_clocks_may_differ_by_a_minute() -> None:
    assert access_of(told(exp=NOW - 59, nbf=NOW + 60), None, NOW) is not None


def test_answer_tells_how_the_person_was_authenticated_and_who_acts() -> None:
    """RFC 9470 section 6.2, RFC 8693 section 4.1."""
    access = access_of(told(acr="mfa", auth_time=NOW - 9, amr=["pwd", "otp"], act={"sub": "bob"}), None, NOW)

    assert access is not None
    assert (access.acr, access.auth_time, access.amr, access.act) == ("mfa", NOW - 9, ("pwd", "otp"), {"sub": "bob"})


@pytest.mark.parametrize("token_type", ["Bearer", "DPoP"])
def test_token_that_is_bound_to_a_key_says_so_and_is_refused_as_a_bearers(token_type: str) -> None:
    """RFC 9449 section 7.2."""
    bound = {"cnf": {"jkt": "x"}, "token_type": token_type}

    access, verdict = access_of(told(**bound), None, NOW), ask(tokens(FixedClock(NOW)), Elsewhere(told(**bound)))

    assert access is not None
    assert access.cnf == {"jkt": "x"}
    assert isinstance(verdict, Response)
    assert verdict.status == 401


@pytest.mark.parametrize(
    ("aud", "audience"), [("api", ("api",)), (["a", 7, None, "b"], ("a", "b")), (7, ()), (True, ())]
)
def test_an_audience_is_named_by_a_string(aud: object, audience: tuple[str, ...]) -> None:
    access = access_of(told(aud=aud), None, NOW)

    assert access is not None
    assert access.audience == audience
