"""A FAPI 2.0 client built on openid-client, against ten lines of configuration: it knows the issuer's URL alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.relying_parties.browser import Browser
from tests.relying_parties.conftest import CALLBACK, Provider, hashed, serving, talking

pytestmark = pytest.mark.slow

FAPI = "fapi.mjs"
# The profile, the client and its user; beside them the file has its issuer, key and certificate.
TABLES = f"""
[oidc]
[profile]
name = "{{name}}"
[[clients]]
client_id = "bank"
token_endpoint_auth_method = "private_key_jwt"
jwks_file = "signing.jwks"
id_token_signed_response_alg = "ES256"
redirect_uris = ["{CALLBACK}"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid email offline_access"
authorization_details_types = ["payment"]
{{more}}
[[authorization_details]]
type = "payment"
required = ["amount"]
description = "Pay {{{{amount}}}} euros"
[[users]]
username = "alice"
password_hash = "{hashed("wonderland")}"
"""

PAYMENT = {"type": "payment", "amount": 10}

Walk = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", params=["fapi2_security", "fapi2_message_signing"])
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Serve with a profile of FAPI 2.0."""
    is_signed = request.param == "fapi2_message_signing"
    parts = 'parts = ["requests", "responses", "introspection"]\n[[clients]]' if is_signed else "[[clients]]"
    more = 'authorization_signed_response_alg = "ES256"' if is_signed else ""
    tables = TABLES.format(name=request.param, more=more).replace("[[clients]]", parts, 1)
    with serving(tmp_path_factory.mktemp(request.param), tables) as provider:
        yield provider


@pytest.fixture
def walk(provider: Provider, request: pytest.FixtureRequest) -> Iterator[Walk]:
    """Let the client walk, in a browser that nobody is signed in with."""
    is_signed = request.node.callspec.params["provider"] == "fapi2_message_signing"
    with Browser(provider.issuer, provider.trust) as browser:
        talk = talking(provider, browser)

        def walk_through(flow: str) -> dict[str, Any]:
            """Walk."""
            parameters = {"prompt": "consent", "authorization_details": json.dumps([PAYMENT])}
            job = {"scope": "openid email offline_access", "parameters": parameters}
            metadata = {"authorization_signed_response_alg": "ES256"} if is_signed else {}
            metadata |= {"id_token_signed_response_alg": "ES256"}
            job |= {"key": provider.signing.members, "sign": is_signed, "jarm": is_signed, "metadata": metadata}
            return talk(FAPI, flow, "bank", **job)

        yield walk_through


def test_a_client_that_knows_the_issuer_alone_gets_tokens_that_are_bound_to_its_key(walk: Walk) -> None:
    result = walk("signIn")

    assert result["claims"]["sub"] == "alice"
    assert (result["type"], result["refreshed"]) == ("dpop", "dpop")
    assert result["introspected"]["active"] is True
    assert set(result["introspected"]["cnf"]) == {"jkt"}
    # FAPI 2.0 Security Profile section 5.3.2.1: it is not rotated.
    assert result["isRotated"] is False
    # RFC 9396, in a request object an array.
    assert result["details"] == result["introspected"]["authorization_details"] == [PAYMENT]


def test_a_client_that_proves_no_key_gets_nothing(walk: Walk) -> None:
    assert walk("withoutProof")["error_code"] == "invalid_dpop_proof"
