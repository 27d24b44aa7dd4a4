"""Whatever a client sends, in a form or in a JWT: it is answered, and what its user is shown is what it looks like."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oauthcore.ciba import Ciba
from oauthcore.endpoints.backchannel_parameters import MAX_BINDING_MESSAGE, checked_message, lifetime_of
from oauthcore.errors import InvalidBindingMessage, InvalidRequest
from tests.core.ciba.till import PINGED, SIGNING, Till

NAMES = (
    *("scope", "login_hint", "id_token_hint", "login_hint_token", "client_notification_token", "acr_values"),
    *("binding_message", "requested_expiry", "request", "resource", "user_code", "unheard_of"),
)
TEXTS = st.text(max_size=200) | st.sampled_from(
    ["openid", "alice@wonderland.example", "a.b.c", "60", "https://a.example"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
CLAIMS = ("iss", "aud", "exp", "iat", "nbf", "jti", *NAMES)
REFUSED = {400, 401, 403}


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=6))
def test_whatever_form_is_sent_is_answered(values: dict[str, str]) -> None:
    till = Till(client=PINGED)

    answer = till.request(**values)

    assert answer.status in {200, *REFUSED}, answer
    assert len(till.pending()) == (answer.status == 200)


@given(st.dictionaries(st.sampled_from(CLAIMS), JSON, max_size=4))
def test_whatever_is_signed_is_answered(changes: dict[str, Any]) -> None:
    till = Till(client=SIGNING)

    answer = till.post("/bc-authorize", request=till.signed(**changes))

    assert answer.status in {200, *REFUSED}, answer
    assert len(till.pending()) == (answer.status == 200)


@given(st.text(max_size=MAX_BINDING_MESSAGE + 2))
def test_a_message_that_is_shown_has_nothing_invisible_in_it(text: str) -> None:
    try:
        message = checked_message(text, Ciba())
    except InvalidBindingMessage:
        return

    assert message == text
    assert 0 < len(text) <= MAX_BINDING_MESSAGE
    assert text == text.strip()
    # Neither controls, formats and surrogates, nor spaces but the one that everybody knows, nor marks on letters.
    assert not {unicodedata.category(each) for each in text if each != " "} & {
        *("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Mn", "Me")
    }


@given(st.text(max_size=12) | st.integers().map(str))
def test_how_long_the_user_has_is_within_the_server_s_limits(text: str) -> None:
    settings = Ciba(lifetime=60, max_lifetime=300)
    try:
        seconds = lifetime_of(text, settings)
    except InvalidRequest:
        return

    assert 1 <= seconds <= 300
