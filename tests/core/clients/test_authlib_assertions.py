"""Assertions as another library makes them: Authlib's, whose clients name no key and give an hour."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from authlib.oauth2.rfc7523 import client_secret_jwt_sign, private_key_jwt_sign
from joserfc.jwk import ECKey, OctKey, RSAKey

from oauthcore import Allowance
from tests.core.clients.asserting import KEY, KEYED, NOW, RSA, SECRET, SHARED, ask, asserting_site, reason
from tests.core.site import ISSUER, Drive


def assertions(audience: str) -> dict[str, str]:
    """Have Authlib make an assertion by each method."""
    given: dict[str, Any] = {"issued_at": NOW}
    return {
        "RS256": private_key_jwt_sign(RSAKey.import_key(json.loads(RSA.text)), "keyed", audience, **given),
        "ES256": private_key_jwt_sign(ECKey.import_key(json.loads(KEY.text)), "keyed", audience, alg="ES256", **given),
        "HS256": client_secret_jwt_sign(OctKey.import_key(SECRET), "shared", audience, **given),
    }


@pytest.mark.parametrize("alg", ["RS256", "ES256", "HS256"])
def test_it_is_taken_for_the_issuer(drive: Drive, alg: str) -> None:
    answer = ask(asserting_site(drive), assertions(ISSUER)[alg])

    assert answer.status == 200, answer.refusal
    assert json.loads(answer.body)["token_type"] == "Bearer"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "HS256"])
def test_it_is_taken_for_the_token_endpoint_where_that_is_allowed(drive: Drive, alg: str) -> None:
    """That is what its clients send unless they are told the issuer."""
    clients = tuple(attrs.evolve(client, allow={Allowance.ENDPOINT_AUDIENCE}) for client in (KEYED, SHARED))
    site = asserting_site(drive, clients=clients)
    text = assertions(f"{ISSUER}/token")[alg]

    assert "somebody else" in reason(ask(asserting_site(drive), text))
    assert ask(site, text).status == 200
