"""The UserInfo endpoint (OIDC Core section 5.3)."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import Client, Request, Response, Secret, World, run
from oauthcore.flow.effects import Claims
from oauthcore.flow.outcome import Replace
from oauthcore.jose import crypto
from oauthcore.jose.jwk import set_of
from oauthcore.records.grant import Grant
from oauthcore.revocation import revoke_grant
from tests.core.oidc.provider import ALICE, PAIRWISE, RP, SECRETS, provider
from tests.core.oidc.test_requests import redeem, remembered, signing, told
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, Counted, Drive, Site, basic, form, members


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider, under each driver."""
    return provider(drive)


def bearer(token: str) -> tuple[str, str]:
    """Return the header that shows a token."""
    return ("Authorization", f"Bearer {token}")


def ask(site: Site, token: str, method: str = "GET") -> Response:
    """Ask for what is known, the token in the header."""
    return site.handle(Request(method, "/userinfo", (bearer(token),)))


def tokens(site: Site, scope: str = "openid email", **changes: str | None) -> dict[str, Any]:
    """Return the tokens of a fresh authorization."""
    return redeem(site, remembered(site, None, scope=scope, **changes)["code"])


def challenge(response: Response) -> str:
    """Return a response's challenge."""
    return response.header("www-authenticate") or ""


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_bearer_is_told_what_the_scope_stands_for(site: Site, method: str) -> None:
    response = ask(site, tokens(site)["access_token"], method)

    assert response.header("content-type") == "application/json"
    assert response.header("cache-control") == "no-store"
    assert response.header("access-control-allow-origin") == "*"
    assert members(response) == {"sub": "alice", "email": "alice@wonderland.example", "email_verified": True}


def test_an_address_is_an_object(site: Site) -> None:
    """OIDC Core section 5.1.1."""
    response = ask(site, tokens(site, "openid address")["access_token"])

    assert members(response) == {"sub": "alice", "address": {"locality": "Oxford"}}


def test_a_token_may_come_in_the_form(site: Site) -> None:
    token = tokens(site)["access_token"]

    response = site.post("/userinfo", form(access_token=token))

    assert members(response)["email"] == "alice@wonderland.example"


def test_a_token_that_comes_in_two_ways_is_refused(site: Site) -> None:
    token = tokens(site)["access_token"]

    response = site.post("/userinfo", form(access_token=token), bearer(token))

    assert (response.status, members(response)["error"]) == (400, "invalid_request")


def test_a_token_in_the_query_is_none(site: Site) -> None:
    token = tokens(site)["access_token"]

    response = site.handle(Request("GET", f"/userinfo?access_token={token}"))

    assert response.status == 401
    assert "error" not in challenge(response)


def test_no_token_is_asked_for_and_a_bad_one_refused(site: Site) -> None:
    assert (site.get("/userinfo").status, "error" in challenge(site.get("/userinfo"))) == (401, False)
    refused = ask(site, "nonsense")
    assert refused.status == 401
    assert 'error="invalid_token"' in challenge(refused)
    assert members(refused)["error"] == "invalid_token"


def test_a_token_without_openid_is_not_enough(site: Site) -> None:
    refused = ask(site, tokens(site, "email")["access_token"])

    assert refused.status == 403
    assert 'error="insufficient_scope"' in challenge(refused)
    assert 'scope="openid"' in challenge(refused)


def test_an_expired_and_a_revoked_token_are_good_no_longer(site: Site) -> None:
    token = tokens(site)["access_token"]
    (grant,) = site.world.storage.find_of(Grant, "alice")
    assert ask(site, token).status == 200
    assert site.world.storage.commit([Replace(grant, revoke_grant(grant))])

    assert ask(site, token).status == 401
    second = tokens(site)["access_token"]
    site.clock.advance(300)
    assert ask(site, second).status == 401


def test_a_disabled_client_is_told_nothing(site: Site) -> None:
    token = tokens(site)["access_token"]
    client = site.world.storage.find(Client, "rp")
    assert client is not None
    site.world.storage.commit([Replace(client, attrs.evolve(client, enabled=False))])

    assert ask(site, token).status == 401


def test_a_person_whom_the_application_knows_no_longer_ends_it(site: Site) -> None:
    token = tokens(site)["access_token"]
    site.world = attrs.evolve(site.world, claims=lambda asked: None)

    assert ask(site, token).status == 401


def test_claims_that_were_asked_for_here_are_given_here(site: Site) -> None:
    claims = json.dumps({"userinfo": {"name": {"essential": True}}, "id_token": {"given_name": None}})
    answer = tokens(site, "openid", claims=claims)

    assert members(ask(site, answer["access_token"])) == {
        "sub": "alice",
        "name": "Alice Liddell",
        "name#de": "Alice im Wunderland",
    }
    assert told(answer["id_token"])["given_name"] == "Alice"


def test_a_narrower_refresh_tells_less(site: Site) -> None:
    first = tokens(site)
    body = form(grant_type="refresh_token", refresh_token=first["refresh_token"], scope="openid")
    second = members(site.post("/token", body, basic("rp", SECRETS["rp"])))

    assert members(ask(site, second["access_token"])) == {"sub": "alice"}


def test_a_pairwise_client_is_told_the_name_of_its_id_token(site: Site) -> None:
    uri = PAIRWISE.redirect_uris[0]
    answer = redeem(site, remembered(site, None, client_id="pairwise", redirect_uri=uri)["code"], "pairwise", uri)

    assert members(ask(site, answer["access_token"]))["sub"] == told(answer["id_token"])["sub"] != "alice"


def test_the_application_is_asked_for_what_may_leave_and_in_the_language_wished_for(site: Site) -> None:
    asked: list[Claims] = []

    def remember(question: Claims) -> dict[str, object]:
        asked.append(question)
        return dict(ALICE)

    token = tokens(site, claims_locales="de-AT de")["access_token"]
    site.world = attrs.evolve(site.world, claims=remember)
    ask(site, token)

    assert asked == [Claims("alice", "rp", ("email", "email_verified"), ("de-AT", "de"))]


def test_it_costs_three_finds(site: Site) -> None:
    token = tokens(site)["access_token"]
    counted = Counted(site)

    ask(site, token)

    assert (counted.finds, counted.commits) == (3, 0)


def test_a_signed_answer_says_who_made_it_and_for_whom(drive: Drive) -> None:
    site = signing(provider(drive, clients=(attrs.evolve(RP, userinfo_signed_response_alg="RS256"),)))
    response = ask(site, tokens(site)["access_token"])

    verified = crypto.verify(response.body.decode(), [key_for("RS256").public], ["RS256"])

    assert response.header("content-type") == "application/jwt"
    assert (verified.claims["iss"], verified.claims["aud"], verified.claims["sub"]) == (ISSUER, "rp", "alice")
    assert verified.claims["email"] == "alice@wonderland.example"


@pytest.mark.parametrize("published", [True, False], ids=["jwks_uri", "jwks"])
def test_an_encrypted_answer_is_for_the_client_alone(drive: Drive, published: bool) -> None:
    key = crypto.generate("ES256").named("ECDH-ES", "enc")
    document = set_of([key])
    client = attrs.evolve(
        RP,
        userinfo_signed_response_alg="RS256",
        userinfo_encrypted_response_alg="ECDH-ES",
        id_token_encrypted_response_alg="ECDH-ES",
        jwks=None if published else document.decode(),
        jwks_uri="https://rp.example/jwks" if published else None,
    )
    site = signing(provider(drive, clients=(client,)))
    site.world = attrs.evolve(site.world, fetch=lambda request: Response(200, (), document))
    answer = tokens(site)

    for token in (answer["id_token"], ask(site, answer["access_token"]).body.decode()):
        signed = crypto.decrypt(token, [key], ["ECDH-ES"])
        assert crypto.verify(signed, [key_for("RS256").public], ["RS256"]).claims["sub"] == "alice"


def test_nothing_leaves_in_the_clear_where_the_client_s_key_can_not_be_had(drive: Drive) -> None:
    client = attrs.evolve(RP, id_token_encrypted_response_alg="RSA-OAEP", jwks_uri="https://rp.example/jwks")
    site = signing(provider(drive, clients=(client,)))
    site.world = attrs.evolve(site.world, fetch=lambda request: Response(500))

    assert tokens(site)["error"] == "invalid_request"


def test_a_client_s_key_that_is_too_small_is_none(drive: Drive) -> None:
    """RFC 7518 section 4.3."""
    small = {"kty": "RSA", "n": "t" * 171, "e": "AQAB", "use": "enc"}
    client = attrs.evolve(RP, id_token_encrypted_response_alg="RSA-OAEP", jwks={"keys": [small]})
    site = signing(provider(drive, clients=(client,)))

    assert tokens(site)["error"] == "invalid_request"


def test_a_signed_access_token_opens_it_until_its_grant_ends(drive: Drive) -> None:
    site = signing(provider(drive, clients=(attrs.evolve(RP, access_token_format="jwt"),)))
    answer = tokens(site)
    claims = crypto.verify(answer["access_token"], [key_for("RS256").public], ["RS256"])
    assert claims.header["typ"] == "at+jwt"
    assert claims.claims["client_id"] == "rp"
    assert members(ask(site, answer["access_token"]))["sub"] == "alice"
    assert ask(site, answer["id_token"]).status == 401

    (grant,) = site.world.storage.find_of(Grant, "alice")
    site.world.storage.commit([Replace(grant, revoke_grant(grant))])

    assert ask(site, answer["access_token"]).status == 401


def test_the_jti_of_a_signed_access_token_is_no_token(drive: Drive) -> None:
    site = signing(provider(drive, clients=(attrs.evolve(RP, access_token_format="jwt"),)))
    token = tokens(site)["access_token"]
    jti = crypto.verify(token, [key_for("RS256").public], ["RS256"]).claims["jti"]

    assert ask(site, str(jti)).status == 401


def test_a_retried_refresh_gets_the_same_signed_access_token(drive: Drive) -> None:
    site = signing(provider(drive, clients=(attrs.evolve(RP, access_token_format="jwt"),)))
    body = form(grant_type="refresh_token", refresh_token=tokens(site)["refresh_token"])
    first = members(site.post("/token", body, basic("rp", SECRETS["rp"])))
    site.clock.advance(10)

    again = members(site.post("/token", body, basic("rp", SECRETS["rp"])))

    assert again["access_token"] == first["access_token"]
    assert ask(site, again["access_token"]).status == 200


def test_a_server_without_openid_has_no_such_endpoint() -> None:
    site = provider()
    plain = attrs.evolve(site)
    plain.server = type(site.server)(
        issuer=ISSUER, clock=site.clock, entropy=lambda size: bytes(size), token_key=bytes(32)
    )

    assert plain.get("/userinfo").status == 404


def test_another_method_is_refused(site: Site) -> None:
    assert site.handle(Request("DELETE", "/userinfo")).status == 405
    assert site.handle(Request("OPTIONS", "/userinfo")).status == 204


def test_storage_that_fails_is_no_fault_of_the_token_s(site: Site) -> None:
    token = tokens(site)["access_token"]

    class Gone:
        def find(self, kind: object, key: str, /) -> None:
            raise OSError("gone")

    broken = World(Gone())  # type: ignore[arg-type]  # it has no more than is asked of it
    response = run(site.server.handle(Request("GET", "/userinfo", (bearer(token),))), broken)

    assert response.status == 503
    assert response.header("www-authenticate") is None
    assert Secret(token).reveal() not in repr(response)
