"""Whatever a client puts into a request object, the answer goes to a redirect URI of its own, or to a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.authorization.request_object import REQUEST_OBJECT_TYPE, parameters_in
from oauthcore.errors import InvalidRequestObject
from oauthcore.jose import crypto
from oauthcore.records.interaction import REQUEST_PARAMETERS
from tests.core.authorization.requesting import KEY, claims_of, requesting_site, send

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from((*REQUEST_PARAMETERS, "iss", "aud", "sub", "exp", "nbf", "iat", "hinted_subject", "x"))
SITE = requesting_site()


@pytest.mark.slow
@given(claims=st.dictionaries(NAMES, JSON, max_size=6))
def test_a_parameter_is_a_string_of_the_request_s_own_or_the_object_is_refused(claims: dict[str, object]) -> None:
    try:
        inside = parameters_in(claims)
    except InvalidRequestObject:
        return

    assert set(inside) <= set(REQUEST_PARAMETERS) - {"request", "request_uri"}
    assert all(text and "\0" not in text for text in inside.values())


@pytest.mark.slow
@given(changes=st.dictionaries(NAMES, JSON, max_size=4), typ=st.sampled_from(("JWT", REQUEST_OBJECT_TYPE)))
def test_whatever_is_signed_is_answered_at_the_client_or_on_a_page(changes: dict[str, object], typ: str) -> None:
    response = send(SITE, request=crypto.sign_claims({**claims_of(), **changes}, KEY, "ES256", typ))

    assert response.refusal is None or response.refusal.cause is None, response.refusal
    location = response.header("location") or ""
    assert response.status == 303 or (response.status in {200, 400} and not location)
    assert not location or location.startswith(("https://rp.example/", "https://as.example/", "/"))
