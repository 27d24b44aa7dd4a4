"""Whatever a document says, or its host answers: it is refused or it is a client, and never a bug."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore import Response
from tests.core.clients.publishing import DOCUMENTS, JSON, WEB, published, served

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
NAMES = (
    *("client_id", "client_name", "redirect_uris", "grant_types", "response_types", "scope", "jwks", "jwks_uri"),
    *("token_endpoint_auth_method", "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg"),
    *("client_uri", "logo_uri", "contacts", "application_type", "client_secret", "client_secret_expires_at"),
)
changes = st.dictionaries(
    st.sampled_from(NAMES),
    values
    | st.sampled_from(["none", "private_key_jwt", "RS256", "https://app.example/j", {"keys": [{"kty": "RSA"}]}])
    | st.lists(st.sampled_from(["https://a.example/b", "http://localhost", "code", "none", "x:y", "a.b:/"])),
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=300)
@given(changes)
def test_no_document_is_a_bug(changes: dict[str, Any]) -> None:
    at = published()
    at.hosts.answers[WEB] = served(DOCUMENTS[WEB] | changes)

    response = at.authorize()

    assert response.refusal is None or response.refusal.cause is None, response.refusal
    assert response.status in {303, 400}
    if (client := at.found()) is not None:
        assert client.client_id == WEB
        assert not client.secrets
        assert client.token_endpoint_auth_method in {"none", "private_key_jwt"}


@pytest.mark.slow
@settings(max_examples=100)
@given(st.binary(max_size=200), st.sampled_from([200, 204, 304, 404, 500]), st.text(max_size=20))
def test_no_answer_of_a_host_is_a_bug(body: bytes, status: int, cache_control: str) -> None:
    at = published()
    at.hosts.answers[WEB] = Response(status, (JSON, ("Cache-Control", cache_control)), body)

    response = at.authorize()

    assert response.refusal is not None
    assert response.refusal.cause is None, response.refusal
    assert response.status == (503 if status == 500 else 400)
