"""Authlib's OpenID client: it knows the issuer's URL and who it is, and it works."""

from __future__ import annotations

import pytest
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.relying_parties.browser import Browser
from tests.relying_parties.conftest import CALLBACK, SECRET, Provider

pytestmark = pytest.mark.slow
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_authlib_signs_in_and_its_id_token_is_good(provider: Provider, browser: Browser) -> None:
    document = browser.http.get("/.well-known/openid-configuration").json()
    settings = {"scope": "openid email", "redirect_uri": CALLBACK, "code_challenge_method": "S256"}
    trusting = {"verify": provider.trust, "trust_env": False}
    with OAuth2Client("basic", SECRET, **settings, **trusting) as client:
        url, state = client.create_authorization_url(
            document["authorization_endpoint"], code_verifier=VERIFIER, nonce="n-0S6_WzA2Mj"
        )
        arrived = browser.open(url)
        tokens = client.fetch_token(
            document["token_endpoint"], authorization_response=arrived.url, state=state, code_verifier=VERIFIER
        )
        userinfo = client.get(document["userinfo_endpoint"]).json()
        keys = KeySet.import_key_set(browser.http.get(document["jwks_uri"]).json())

    decoded = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    expected = {"iss": provider.issuer, "aud": "basic", "nonce": "n-0S6_WzA2Mj", "sub": userinfo["sub"]}
    assert {name: decoded.claims[name] for name in expected} == expected
    assert userinfo["email"] == "alice@wonderland.example"
