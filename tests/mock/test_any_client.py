"""Clients that nobody has registered are who they say they are."""

from __future__ import annotations

import base64
import json

import pytest

from oauthcore import Request, Response
from oauthcore_mock import Browser, Issuer, Provider
from tests.plugin.relying_party import REDIRECT, authorization_url, post

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def provider() -> Provider:
    """Return a provider that takes any client."""
    return Provider("http://localhost:9400", makes_issuers=True, takes_any_client=True)


@pytest.fixture
def issuer(provider: Provider) -> Issuer:
    """Return an issuer."""
    return provider.issuer("any")


def basic(issuer: Issuer, client_id: str, secret: str, body: str) -> Response:
    """Ask for a token by HTTP Basic."""
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = (("authorization", f"Basic {pair}"), ("content-type", "application/x-www-form-urlencoded"))
    return issuer.handle(Request("POST", f"{issuer.base}/token", headers, body.encode())).response


def test_whatever_secret_is_shown_is_taken(issuer: Issuer) -> None:
    assert basic(issuer, "web", "one", "grant_type=client_credentials&scope=orders").status == 200
    assert basic(issuer, "web", "another", "grant_type=client_credentials").status == 200
    form = {"client_id": "other", "client_secret": "x", "grant_type": "client_credentials"}
    assert post(issuer, "/token", None, **form).status == 200


@pytest.mark.parametrize("shown", [{}, {"client_secret": "x"}], ids=["public", "confidential"])
def test_an_application_goes_all_the_way(shown: dict[str, str], provider: Provider, issuer: Issuer) -> None:
    code = Browser(provider).authorize(authorization_url(issuer, client_id="spa")).code
    form = {"client_id": "spa", "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}

    response = post(issuer, "/token", None, **form, **shown)

    assert response.status == 200, response.body


def test_an_assertion_is_taken_without_its_key(issuer: Issuer) -> None:
    signed = Provider("http://elsewhere:1").issuer("x").token("svc")

    response = post(
        *(issuer, "/token", None),
        grant_type="client_credentials",
        client_assertion_type=ASSERTION,
        client_assertion=signed,
    )

    assert response.status == 200
    assert issuer.requests.last("token").form["client_assertion"] == signed


def test_a_client_that_is_registered_has_to_show_its_own_secret(issuer: Issuer) -> None:
    _ = issuer.client("web", secret="s" * 64)

    assert basic(issuer, "web", "wrong", "grant_type=client_credentials").status == 401
    assert basic(issuer, "web", "s" * 64, "grant_type=client_credentials").status == 200


def test_a_name_that_no_client_can_have_is_refused(issuer: Issuer) -> None:
    response = basic(issuer, "n\x01", "x", "grant_type=client_credentials")

    assert (response.status, json.loads(response.body)["error"]) == (401, "invalid_client")


def test_without_it_a_client_has_to_be_registered() -> None:
    strict = Provider("http://localhost:9400").issuer("x")

    assert basic(strict, "web", "one", "grant_type=client_credentials").status == 401
