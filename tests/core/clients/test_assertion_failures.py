"""Assertions where storage fails at any step, and whatever stands in one: 503, or a refusal, and nothing half done."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import MemoryStorage, Response
from oauthcore.jose import crypto
from oauthcore.records.token import AccessToken, SpentAssertion
from oauthcore.testing import Outage
from tests.core.clients.asserting import KEY, ask, asserting_site, assertion, claims_of
from tests.core.site import Site

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "x"))


def kept(site: Site) -> tuple[int, int]:
    """Count the tokens and the used assertions that are stored."""
    storage = site.world.storage
    assert isinstance(storage, MemoryStorage)
    records = list(storage._records.values())
    return (
        sum(isinstance(record, AccessToken) for record in records),
        sum(isinstance(record, SpentAssertion) for record in records),
    )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(3))
def test_a_token_is_there_if_and_only_if_its_assertion_is_used_up(at: int, *, after: bool) -> None:
    site = asserting_site()
    storage = site.world.storage
    assert isinstance(storage, MemoryStorage)
    outage = Outage(storage, at, after)
    site.world = attrs.evolve(site.world, storage=outage)

    response = ask(site, assertion())

    site.world = attrs.evolve(site.world, storage=storage)
    assert response.status == 503 and outage.happened
    committed = at == 2 and after
    assert kept(site) == ((1, 1) if committed else (0, 0))
    assert ask(site, assertion()).status == (401 if committed else 200)


def test_three_calls_are_all_that_it_takes() -> None:
    """Two finds and a commit: one find more than with a secret."""
    site = asserting_site()
    outage = Outage(site.world.storage, 99)
    site.world = attrs.evolve(site.world, storage=outage)

    assert ask(site, assertion()).status == 200
    assert outage.calls == 3


def answer_to(text: str) -> Response:
    """Send an assertion to a site where nothing was used yet."""
    response = ask(asserting_site(), text)
    assert response.refusal is None or response.refusal.cause is None, response.refusal
    return response


@pytest.mark.slow
@given(changes=st.dictionaries(NAMES, JSON, max_size=4))
def test_whatever_a_client_signs_is_taken_only_if_it_says_what_it_must(changes: dict[str, object]) -> None:
    claims = {**claims_of(), **changes}
    response = answer_to(crypto.sign_claims(claims, KEY, "ES256"))

    assert response.status in {200, 400, 401}
    if response.status == 200:
        assert claims["iss"] == claims["sub"] == "keyed"
        assert claims["aud"] in ("https://as.example", ["https://as.example"])
        assert claims["jti"]


@given(text=st.text(max_size=60) | st.binary(max_size=60).map(lambda value: value.hex(".")))
def test_whatever_else_is_sent_for_one_is_refused(text: str) -> None:
    assert answer_to(text).status in {400, 401}
