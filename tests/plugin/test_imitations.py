"""Imitations: shapes of tokens as well-known providers' own documentation has them, over the same protocol."""

from __future__ import annotations

from typing import get_args

import pytest

from oauthcore import ConfigurationError
from oauthcore_mock import Browser, Provider
from oauthcore_mock.imitations import IMITATIONS, TENANT, ImitationName
from tests.plugin.relying_party import REDIRECT, authorization_url, claims_of, header_of, members, post

API = "https://api.example"


def test_keycloak_puts_roles_into_realm_access(provider: Provider) -> None:
    issuer = provider.issuer(imitates="keycloak")

    token = issuer.token("bob", aud=API, claims={"roles": ["admin"]}, client_id="app")

    said = claims_of(token)
    assert issuer.url.endswith("/realms/test")
    assert (said["typ"], said["azp"], said["realm_access"]) == ("Bearer", "app", {"roles": ["admin"]})
    assert (header_of(token)["typ"], header_of(token)["alg"]) == ("JWT", "RS256")
    assert claims_of(issuer.id_token("bob"))["typ"] == "ID"


def test_auth0_has_a_slash_at_the_end_of_its_issuer(provider: Provider) -> None:
    issuer = provider.issuer(imitates="auth0")

    said = claims_of(issuer.token("bob", aud=API, scope="openid read", claims={"roles": ["read:x"]}, client_id="app"))

    assert issuer.url.endswith("/")
    assert issuer.metadata["issuer"] == said["iss"] == issuer.url
    assert said["aud"] == [API, f"{issuer.url}userinfo"]
    assert (said["azp"], said["permissions"]) == ("app", ["read:x"])
    assert "client_id" not in said


def test_entra_calls_the_scope_scp(provider: Provider) -> None:
    issuer = provider.issuer(imitates="entra")

    said = claims_of(issuer.token("bob", aud=API, scope="read", claims={"roles": ["admin"]}, client_id="app"))

    assert issuer.url.endswith("/v2.0")
    assert (said["scp"], said["roles"], said["azp"], said["tid"]) == ("read", ["admin"], "app", TENANT)
    assert not {"scope", "client_id"} & said.keys()


def test_cognito_has_no_audience_in_access_tokens(provider: Provider) -> None:
    issuer = provider.issuer(imitates="cognito")

    token = issuer.token("bob", claims={"roles": ["admins"]}, client_id="app")

    said = claims_of(token)
    assert "typ" not in header_of(token)
    assert "aud" not in said
    assert (said["token_use"], said["username"], said["cognito:groups"]) == ("access", "bob", ["admins"])
    assert claims_of(issuer.id_token("bob"))["cognito:username"] == "bob"


def test_google_s_access_tokens_are_opaque(provider: Provider) -> None:
    issuer = provider.issuer(imitates="google")

    assert "." not in issuer.token("bob")
    assert claims_of(issuer.id_token("bob", claims={"email": "bob@example.com"}))["hd"] == "example.com"


@pytest.mark.parametrize("name", IMITATIONS)
def test_a_login_is_the_same_everywhere(name: ImitationName, provider: Provider) -> None:
    issuer = provider.issuer(imitates=name)
    client = issuer.client()
    issuer.next_login("bob", {"roles": ["admin"]})
    metadata = issuer.metadata
    url = metadata["authorization_endpoint"] + authorization_url(issuer).partition("/authorize")[2]

    code = Browser(provider).authorize(url).code
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    answer = members(post(issuer, "/token", client, **form))

    assert claims_of(answer["id_token"])["iss"] == issuer.url
    assert header_of(answer["id_token"])["alg"] == "RS256"
    token = answer["access_token"]
    assert members(post(issuer, "/introspect", client, token=token))["active"] is True
    assert ("." in token) is (name != "google")


def test_what_is_imitated_has_a_name_that_type_checkers_know(provider: Provider) -> None:
    assert set(IMITATIONS) == set(get_args(ImitationName))
    with pytest.raises(ConfigurationError, match="use one of keycloak, auth0"):
        provider.issuer(imitates="okta")  # type: ignore[arg-type]  # as somebody without a type checker writes it
