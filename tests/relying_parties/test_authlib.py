"""Authlib's OpenID client: it knows the issuer's URL and who it is, and it works."""

from __future__ import annotations

import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.relying_parties.browser import Browser
from tests.relying_parties.conftest import CALLBACK, SECRET, Provider

pytestmark = pytest.mark.slow
METADATA = {
    "client_name": "Authlib",
    "redirect_uris": [CALLBACK],
    "contacts": ["a@rp.example"],
    "scope": "openid email",
}
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


def test_what_authlib_knows_of_metadata_holds_for_what_is_registered_and_it_signs_in(
    provider: Provider, browser: Browser
) -> None:
    document = browser.http.get("/.well-known/openid-configuration").json()
    answer = browser.http.post(document["registration_endpoint"], json=METADATA)
    registered = answer.json()
    ClientMetadataClaims(registered, {}).validate()
    assert (answer.status_code, registered["token_endpoint_auth_method"]) == (201, "client_secret_basic")

    credentials = registered["client_id"], registered["client_secret"]
    settings = {"scope": "openid", "redirect_uri": CALLBACK, "code_challenge_method": "S256"}
    with OAuth2Client(*credentials, **settings, verify=provider.trust, trust_env=False) as client:
        url, state = client.create_authorization_url(document["authorization_endpoint"], code_verifier=VERIFIER)
        arrived = browser.open(url)
        tokens = client.fetch_token(
            document["token_endpoint"], authorization_response=arrived.url, state=state, code_verifier=VERIFIER
        )

    assert "id_token" in tokens
    configuration = {"Authorization": f"Bearer {registered['registration_access_token']}"}
    target = registered["registration_client_uri"]
    assert browser.http.get(target, headers=configuration).json()["contacts"] == METADATA["contacts"]
    assert browser.http.delete(target, headers=configuration).status_code == 204
    assert browser.http.get(target, headers=configuration).status_code == 401
