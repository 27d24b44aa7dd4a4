"""The metadata document (RFC 8414)."""

from __future__ import annotations

import pytest

from oauthcore import Allowance, Paths, Policy, Request
from oauthcore.jose.jwk import SIGNATURES
from tests.core.site import Site, location, make_site, members

WELL_KNOWN = "/.well-known/oauth-authorization-server"
METHODS = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
ALGORITHMS = [
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
]


def test_the_default_document() -> None:
    response = make_site().get(WELL_KNOWN)

    assert response.header("content-type") == "application/json"
    assert members(response) == {
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token",
        "introspection_endpoint": "https://as.example/introspect",
        "revocation_endpoint": "https://as.example/revoke",
        "response_types_supported": ["code", "none"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": [*METHODS, "none"],
        "revocation_endpoint_auth_methods_supported": [*METHODS, "none"],
        "introspection_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": list(SIGNATURES),
    }


def test_it_follows_what_is_enabled() -> None:
    policy = Policy.oauth20(allow={Allowance.PLAIN_PKCE})
    document = members(make_site(policy=policy, scopes=("email", "profile")).get(WELL_KNOWN))

    assert document["grant_types_supported"] == [
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "implicit",
    ]
    assert document["response_types_supported"] == ["code", "none", "token"]
    assert document["code_challenge_methods_supported"] == ["S256", "plain"]
    assert document["scopes_supported"] == ["email", "profile"]


def test_every_endpoint_it_names_is_one(site: Site) -> None:
    document = members(site.get(WELL_KNOWN))

    for name, url in document.items():
        if name.endswith("_endpoint"):
            assert site.get(url.removeprefix("https://as.example")).status in {400, 405}


def test_an_issuer_with_a_path_has_it_inserted_and_every_endpoint_below_it() -> None:
    """RFC 8414 section 3.1."""
    site = make_site(issuer="https://as.example/tenant/a", paths=Paths(token="/oauth/token"))

    document = members(site.get(WELL_KNOWN + "/tenant/a"))

    assert document["token_endpoint"] == "https://as.example/tenant/a/oauth/token"
    assert members(site.get("/tenant/a" + WELL_KNOWN)) == document
    assert site.get(WELL_KNOWN).status == 404
    target = site.authorize_target()
    assert location(site.get("/tenant/a" + target)).startswith("/tenant/a/login?interaction=")
    assert site.get(target).status == 404


@pytest.mark.parametrize("issuer", ["https://as.example/", "https://as.example/t/", "https://AS.example:443"])
def test_the_issuer_is_never_normalised(issuer: str) -> None:
    """RFC 8414 section 3.3: a client compares it byte for byte."""
    site = make_site(issuer=issuer)
    path = WELL_KNOWN + ("/t" if issuer.endswith("/t/") else "")

    document = members(site.get(path))

    assert document["issuer"] == issuer
    assert "//" not in document["token_endpoint"].removeprefix("https://")


def test_a_client_that_removes_the_trailing_slash_or_not_finds_the_document() -> None:
    site = make_site(issuer="https://as.example/t/")

    assert site.get(WELL_KNOWN + "/t").status == 200


def test_any_origin_may_read_it_and_caches_may_keep_it(site: Site) -> None:
    response = site.get(WELL_KNOWN)

    assert response.header("access-control-allow-origin") == "*"
    assert response.header("cache-control") == "public, max-age=3600"


def test_it_answers_head(site: Site) -> None:
    assert site.handle(Request("HEAD", WELL_KNOWN)).status == 200
