"""Introspection answers as JWTs (RFC 9701), and what is told of signed and pairwise tokens (RFC 7662)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Secret
from oauthcore.flow.outcome import Insert
from oauthcore.jose import crypto
from tests.core.oidc.provider import PAIRWISE, RP, SECRETS, provider
from tests.core.oidc.test_requests import redeem, remembered, signing, told
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, Drive, basic, form, make_site, members

SIGNED = "application/token-introspection+jwt"
RESOURCE = Client(client_id="resource", grant_types=("client_credentials",), response_types=(), introspects_any=True)
CREDENTIALS: dict[str, Any] = {
    "clients": (RP, PAIRWISE, RESOURCE),
    "secrets": {**SECRETS, "resource": "resource-secret"},
}


def test_who_asks_for_a_signed_answer_gets_one_for_himself(drive: Drive) -> None:
    site = signing(provider(drive, **CREDENTIALS))
    token = redeem(site, remembered(site)["code"])["access_token"]

    response = site.post("/introspect", form(token=token), basic("resource", "resource-secret"), ("Accept", SIGNED))

    verified = crypto.verify(response.body.decode(), [key_for("RS256").public], ["RS256"])
    assert response.header("content-type") == SIGNED
    assert verified.header["typ"] == "token-introspection+jwt"
    assert (verified.claims["iss"], verified.claims["aud"], verified.claims["iat"]) == (ISSUER, "resource", site.now)
    description = verified.claims["token_introspection"]
    assert isinstance(description, dict)
    assert (description["active"], description["sub"]) == (True, "alice")
    assert "sub" not in verified.claims


def test_that_a_token_is_not_active_is_signed_too(drive: Drive) -> None:
    site = signing(provider(drive, **CREDENTIALS))

    response = site.post("/introspect", form(token="no"), basic("resource", "resource-secret"), ("Accept", SIGNED))

    verified = crypto.verify(response.body.decode(), [key_for("RS256").public], ["RS256"])
    assert verified.claims["token_introspection"] == {"active": False}


def test_who_asks_for_json_gets_json(drive: Drive) -> None:
    site = provider(drive, **CREDENTIALS)

    response = site.post("/introspect", form(token="no"), basic("resource", "resource-secret"))

    assert members(response) == {"active": False}


def test_a_pairwise_client_reads_its_own_name_and_a_resource_server_the_server_s(drive: Drive) -> None:
    site = provider(drive, **CREDENTIALS)
    uri = PAIRWISE.redirect_uris[0]
    answer = redeem(site, remembered(site, None, client_id="pairwise", redirect_uri=uri)["code"], "pairwise", uri)
    body = form(token=answer["access_token"])

    own = members(site.post("/introspect", body, basic("pairwise", SECRETS["pairwise"])))
    others = members(site.post("/introspect", body, basic("resource", "resource-secret")))

    assert own["sub"] == told(answer["id_token"])["sub"]
    assert others["sub"] == "alice"


def test_a_pairwise_resource_server_reads_one_name_of_its_sector_for_a_person_whatever_the_client(drive: Drive) -> None:
    """OIDC Core section 8.1, RFC 7662 section 2.2: the subject as the caller knows it."""
    apart = attrs.evolve(RESOURCE, subject_type="pairwise", sector_identifier_uri="https://api.example/sector.json")
    site = provider(drive, **(CREDENTIALS | {"clients": (RP, PAIRWISE, RESOURCE)}))
    site.drive(site.server.clients.remove("resource"), site.world)
    registered = site.server.clients.prepare(apart, Secret("resource-secret")).client
    assert site.world.storage.commit((Insert(registered),))
    uri = PAIRWISE.redirect_uris[0]
    of_pairwise = redeem(site, remembered(site, None, client_id="pairwise", redirect_uri=uri)["code"], "pairwise", uri)
    of_rp = redeem(site, remembered(site)["code"])

    names = [
        members(site.post("/introspect", form(token=answer["access_token"]), basic("resource", "resource-secret")))[
            "sub"
        ]
        for answer in (of_pairwise, of_rp)
    ]

    assert names[0] == names[1]
    assert names[0] not in {"alice", told(of_pairwise["id_token"])["sub"]}


def test_a_pairwise_resource_server_without_a_sector_is_refused_when_it_is_registered() -> None:
    """OAuth alone: there is no redirect URI that a sector could be taken from."""
    site = make_site()

    with pytest.raises(ConfigurationError, match="sector_identifier_uri"):
        site.server.clients.prepare(attrs.evolve(RESOURCE, subject_type="pairwise"))


def test_a_signed_access_token_is_introspected_and_revoked_like_any_other(drive: Drive) -> None:
    client = attrs.evolve(RP, access_token_format="jwt")
    site = signing(provider(drive, **(CREDENTIALS | {"clients": (client, RESOURCE)})))
    token = redeem(site, remembered(site)["code"])["access_token"]
    body = form(token=token, token_type_hint="refresh_token")
    assert members(site.post("/introspect", body, basic("resource", "resource-secret")))["active"] is True

    assert site.post("/revoke", form(token=token), basic("rp", SECRETS["rp"])).status == 200

    assert members(site.post("/introspect", body, basic("resource", "resource-secret"))) == {"active": False}


def test_a_forged_access_token_is_not_active(drive: Drive) -> None:
    site = signing(provider(drive, **CREDENTIALS))
    forged = crypto.sign_claims({"jti": "x", "iss": ISSUER}, crypto.generate("ES256").named("ES256"), "ES256", "at+jwt")

    answer = members(site.post("/introspect", form(token=forged), basic("resource", "resource-secret")))

    assert answer == {"active": False}
