"""What OpenID Connect adds to a registration, looked over before anything is remembered."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Outgoing, Response, run
from tests.core.oidc.provider import RP, provider

SECTOR = "https://sector.example/uris.json"


def register(client: Client) -> Client:
    """Register a client at a provider whose world has one other server."""
    site = provider(clients=())
    site.world = attrs.evolve(site.world, fetch=sector_document)
    return run(site.server.clients.register(client), site.world).client


def sector_document(request: Outgoing) -> Response:
    """Be the sector's server."""
    assert request.url == SECTOR
    return Response(200, (), b'["https://rp.example/cb", "https://other.example/cb"]')


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"id_token_signed_response_alg": "ES256"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"userinfo_signed_response_alg": "HS256"}, "userinfo_signed_response_alg"),
        ({"introspection_signed_response_alg": "none"}, "introspection_signed_response_alg"),
        ({"id_token_encrypted_response_alg": "RSA1_5", "jwks": '{"keys": []}'}, "id_token_encrypted_response_alg"),
        ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "id_token_encrypted_response_alg"),
        (
            {
                "id_token_encrypted_response_alg": "RSA-OAEP",
                "id_token_encrypted_response_enc": "A1",
                "jwks": '{"keys": []}',
            },
            "id_token_encrypted_response_enc",
        ),
        (
            {"userinfo_encrypted_response_alg": "RSA-OAEP", "jwks": '{"keys": []}'},
            "userinfo_signed_response_alg",
        ),
        (
            {"subject_type": "pairwise", "redirect_uris": ("https://a.example/cb", "https://b.example/cb")},
            "sector_identifier_uri",
        ),
        ({"sector_identifier_uri": "http://sector.example/uris.json"}, "sector_identifier_uri"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"id_token_lifetime": 0}, "id_token_lifetime"),
        ({"response_types": ("id_token",), "grant_types": ("authorization_code",)}, "response_types"),
        ({"response_types": ("code id_token",), "grant_types": ("implicit",)}, "response_types"),
    ],
)
def test_what_can_not_be_kept_is_refused_by_its_name(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        register(attrs.evolve(RP, **changes))

    assert failure.value.setting == setting


def test_a_sector_that_knows_all_redirect_uris_is_taken() -> None:
    client = attrs.evolve(
        RP,
        subject_type="pairwise",
        sector_identifier_uri=SECTOR,
        redirect_uris=("https://rp.example/cb", "https://other.example/cb"),
    )

    assert register(client).sector_identifier_uri == SECTOR


def test_a_sector_that_does_not_know_a_redirect_uri_is_refused() -> None:
    client = attrs.evolve(RP, sector_identifier_uri=SECTOR, redirect_uris=("https://thief.example/cb",))

    with pytest.raises(ConfigurationError, match=r"add https://thief\.example/cb"):
        register(client)


def test_a_sector_whose_document_can_not_be_had_is_refused() -> None:
    site = provider(clients=())
    site.world = attrs.evolve(site.world, fetch=lambda request: Response(404))

    with pytest.raises(ConfigurationError, match="JSON array"):
        run(site.server.clients.register(attrs.evolve(RP, sector_identifier_uri=SECTOR)), site.world)


def test_a_client_that_gets_no_id_token_needs_no_algorithm() -> None:
    plain = Client(client_id="plain", redirect_uris=RP.redirect_uris, id_token_signed_response_alg="ES384")

    assert register(plain).client_id == "plain"


def test_keys_may_be_given_as_members() -> None:
    client = attrs.evolve(RP, jwks={"keys": []})

    assert client.jwks == '{"keys": []}'
