"""DPoP at the token endpoint: what is bound to which key, and that each proof is good once (RFC 9449 section 5)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Dpop, Policy, Request, ResourceServer, Response, Secret, run
from oauthcore.clients.client_metadata import metadata_of, read_metadata
from oauthcore.errors import InvalidDpopProof
from oauthcore.flow.outcome import Replace
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.token import AccessToken, RefreshToken, SpentProof
from oauthcore.signing.keys import GivenKeys
from tests.core.dpop.proving import BOUND, ask, dpop_site, jkt, key, proof
from tests.core.signing_keys import key_for
from tests.core.site import (
    CONFIDENTIAL,
    FORM,
    PUBLIC,
    VERIFIER,
    Counted,
    Drive,
    Site,
    basic,
    form,
    make_site,
    members,
    refused,
)

OWN = "client_credentials"
PUBLIC_CB = "https://public.example/cb"


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site that takes proofs."""
    return dpop_site(drive)


def found(site: Site, kind: str, token: str) -> Any:
    """Return the record of a token."""
    record = {"access_token": AccessToken, "refresh_token": RefreshToken}[kind]
    return site.world.storage.find(record, site.server.context().digest(kind, Secret(token)))


def public_tokens(site: Site, number: int = 0) -> dict[str, Any]:
    """Return the tokens of a public client that proves its key."""
    code = site.code(client_id="public", redirect_uri=PUBLIC_CB)
    values = {"code": code, "redirect_uri": PUBLIC_CB, "code_verifier": VERIFIER}
    response = ask(site, "public", proof(site.now, key(number)), grant_type="authorization_code", **values)
    assert response.status == 200, response
    return members(response)


def refresh(site: Site, client_id: str, token: str, *proofs: str) -> Response:
    """Refresh with these proofs."""
    return ask(site, client_id, *proofs, grant_type="refresh_token", refresh_token=token)


def test_a_token_is_bound_to_the_key_of_the_proof(site: Site) -> None:
    answer = members(ask(site, "confidential", proof(site.now), grant_type=OWN))

    assert answer["token_type"] == "DPoP"
    assert found(site, "access_token", answer["access_token"]).confirmation == Confirmation(jkt=jkt(key()))
    described = site.introspect(answer["access_token"], "resource")
    assert (described["token_type"], described["cnf"]) == ("DPoP", {"jkt": jkt(key())})


def test_a_signed_token_names_the_key(drive: Drive) -> None:
    """RFC 9449 section 6.1."""
    signed = attrs.evolve(CONFIDENTIAL, access_token_format="jwt")
    site = dpop_site(drive, clients=(signed,), keys=GivenKeys([key_for("RS256")]))

    answer = members(ask(site, "confidential", proof(site.now), grant_type=OWN))

    verified = site.server.instruments.verify(answer["access_token"], [key_for("RS256").public], ["RS256"])
    assert verified.claims["cnf"] == {"jkt": jkt(key())}


def test_without_a_proof_a_client_gets_what_it_got_before(site: Site) -> None:
    answer = members(ask(site, "confidential", grant_type=OWN))

    assert answer["token_type"] == "Bearer"
    assert found(site, "access_token", answer["access_token"]).confirmation is None


def test_a_server_without_dpop_ignores_the_header() -> None:
    site = make_site()

    assert members(ask(site, "confidential", "nonsense", grant_type=OWN))["token_type"] == "Bearer"


def test_a_bound_token_is_none_for_bearers(site: Site) -> None:
    """RFC 9449 section 7.2."""
    token = members(ask(site, "confidential", proof(site.now), grant_type=OWN))["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))

    answer = run(ResourceServer(site.server.tokens).verify(request), site.world)

    assert isinstance(answer, Response) and answer.status == 401


def test_a_proof_is_good_once(site: Site) -> None:
    """RFC 9449 section 11.1."""
    same = proof(site.now)

    first, again = (ask(site, "confidential", same, grant_type=OWN) for _ in range(2))

    assert first.status == 200
    assert again.status == 400
    assert refused(again, "invalid_dpop_proof", "used before")


def test_a_proof_that_failed_the_request_is_still_good(site: Site) -> None:
    """It is spent by the commit that issues: what the client mends needs no other proof."""
    same = proof(site.now)

    assert ask(site, "confidential", same, grant_type="refresh_token", refresh_token="wrong").status == 400
    assert ask(site, "confidential", same, grant_type=OWN).status == 200


def test_a_spent_proof_is_remembered_until_it_is_too_old(site: Site) -> None:
    same = proof(site.now, jti="j")
    assert ask(site, "confidential", same, grant_type=OWN).status == 200
    digest = site.server.context().digest("dpop_proof", Secret(f"{jkt(key())} j"))
    record = site.world.storage.find(SpentProof, digest)

    assert record == SpentProof(key=digest, jkt=jkt(key()), expires_at=site.now + 61)
    site.clock.now += 60
    assert refused(ask(site, "confidential", same, grant_type=OWN), "invalid_dpop_proof", "used before")
    site.clock.now += 1
    site.world.storage.purge(site.now, 10)
    assert refused(ask(site, "confidential", same, grant_type=OWN), "invalid_dpop_proof", "too old")


@pytest.mark.parametrize("proofs", [("a", "b"), ("nonsense",), ("",)])
def test_what_is_no_single_proof_is_refused(site: Site, proofs: tuple[str, ...]) -> None:
    response = ask(site, "confidential", *proofs, grant_type=OWN)

    assert response.status == 400
    assert refused(response, "invalid_dpop_proof")


def test_two_good_proofs_are_one_too_many(site: Site) -> None:
    """RFC 9449 section 4.3 step 1."""
    response = ask(site, "confidential", proof(site.now), proof(site.now), grant_type=OWN)

    assert refused(response, "invalid_dpop_proof", "repeated")


def test_the_host_header_says_nothing_of_the_url(site: Site) -> None:
    """A proof for another server is none here, though the request says that it came there."""
    evil = proof(site.now, htu="https://evil.example/token")
    headers = (FORM, basic("confidential", "confidential-secret"), ("Host", "evil.example"), ("DPoP", evil))

    response = site.handle(Request("POST", "/token", headers, form(grant_type=OWN)))

    assert refused(response, "invalid_dpop_proof", "htu")


@pytest.mark.parametrize("issuer", ["https://as.example/tenant", "https://as.example/tenant/"])
def test_the_url_is_the_one_that_the_metadata_names(issuer: str) -> None:
    site = dpop_site(issuer=issuer)
    document = members(site.handle(Request("GET", site.server.metadata_paths[0])))
    path = f"{site.server.base}/token"
    named = ("DPoP", proof(site.now, htu=document["token_endpoint"]))

    response = site.post(path, form(grant_type=OWN), basic("confidential", "confidential-secret"), named)

    assert response.status == 200, response
    assert members(response)["token_type"] == "DPoP"


def test_who_is_no_client_learns_nothing_of_a_proof(site: Site) -> None:
    wrong = site.post("/token", form(grant_type=OWN), basic("confidential", "wrong"), ("DPoP", "nonsense"))

    assert refused(wrong, "invalid_client")


def test_the_refresh_token_of_a_public_client_is_bound_to_its_key(site: Site) -> None:
    """RFC 9449 section 5."""
    token = public_tokens(site)["refresh_token"]
    assert found(site, "refresh_token", token).confirmation == Confirmation(jkt=jkt(key()))

    assert refused(refresh(site, "public", token), "invalid_grant", "bound to a key")
    assert refused(refresh(site, "public", token, proof(site.now, key(1))), "invalid_grant", "bound to a key")
    renewed = members(refresh(site, "public", token, proof(site.now)))
    assert renewed["token_type"] == "DPoP"
    assert found(site, "refresh_token", renewed["refresh_token"]).confirmation == Confirmation(jkt=jkt(key()))


def test_a_stolen_spent_token_ends_no_grant_without_the_key(site: Site) -> None:
    stolen = public_tokens(site)["refresh_token"]
    second = members(refresh(site, "public", stolen, proof(site.now)))
    third = members(refresh(site, "public", second["refresh_token"], proof(site.now)))

    assert refused(refresh(site, "public", stolen, proof(site.now, key(1))), "invalid_grant", "bound to a key")
    assert refresh(site, "public", third["refresh_token"], proof(site.now)).status == 200
    assert refused(refresh(site, "public", stolen, proof(site.now)), "invalid_grant", "used before")
    assert site.is_active(third["access_token"]) is False


def test_a_lost_answer_is_repeated_to_the_same_key_alone(site: Site) -> None:
    token = public_tokens(site)["refresh_token"]
    first = members(refresh(site, "public", token, proof(site.now)))

    again = members(refresh(site, "public", token, proof(site.now)))

    assert (again["access_token"], again["refresh_token"]) == (first["access_token"], first["refresh_token"])
    assert refused(refresh(site, "public", token, proof(site.now, key(1))), "invalid_grant")


def test_a_confidential_client_may_change_its_key(site: Site) -> None:
    """RFC 9449 section 5: its refresh tokens are bound to it by its authentication."""
    code = site.code()
    values = {"code": code, "redirect_uri": CONFIDENTIAL.redirect_uris[0], "code_verifier": VERIFIER}
    tokens = members(ask(site, "confidential", proof(site.now), grant_type="authorization_code", **values))

    renewed = members(refresh(site, "confidential", tokens["refresh_token"], proof(site.now, key(1))))

    assert found(site, "access_token", renewed["access_token"]).confirmation == Confirmation(jkt=jkt(key(1)))
    assert found(site, "refresh_token", renewed["refresh_token"]).confirmation is None


def test_a_client_that_is_registered_so_gets_nothing_unbound(site: Site) -> None:
    """RFC 9449 section 5.2."""
    without = ask(site, "bound", grant_type=OWN)

    assert refused(without, "invalid_dpop_proof", "this client needs")
    assert members(ask(site, "bound", proof(site.now), grant_type=OWN))["token_type"] == "DPoP"


def test_it_gets_nothing_unbound_when_the_server_stops_taking_proofs() -> None:
    site = dpop_site()
    off = attrs.evolve(site, server=make_site(issuer=site.server.issuer).server)

    assert refused(ask(off, "bound", proof(site.now), grant_type=OWN), "invalid_dpop_proof", "this client needs")


def test_a_server_may_require_proofs_of_every_client(drive: Drive) -> None:
    site = dpop_site(drive, Dpop(required=True))

    assert refused(ask(site, "confidential", grant_type=OWN), "invalid_dpop_proof", "every client")
    assert ask(site, "confidential", proof(site.now), grant_type=OWN).status == 200


def test_a_client_in_developer_mode_is_told_what_is_wrong(site: Site) -> None:
    site.drive(site.server.clients.explain("confidential", lifetime=60), site.world)

    response = ask(site, "confidential", proof(site.now, htm="GET"), grant_type=OWN)

    assert "htm of the DPoP proof" in members(response)["error_description"]


@pytest.mark.parametrize("settings", [None, Dpop(algorithms=["ES256", "PS256"])])
def test_metadata_names_the_algorithms_of_proofs(settings: Dpop | None) -> None:
    """RFC 9449 section 5.1."""
    site = make_site(dpop=settings)

    document = members(site.handle(Request("GET", site.server.metadata_paths[0])))

    assert document.get("dpop_signing_alg_values_supported") == (None if settings is None else ["ES256", "PS256"])


def test_a_token_request_without_a_proof_asks_storage_no_more_than_before(site: Site) -> None:
    counted, before = Counted(site), Counted(plain := make_site())
    assert ask(site, "confidential", grant_type=OWN).status == 200
    assert ask(plain, "confidential", grant_type=OWN).status == 200

    assert (counted.finds, counted.commits) == (before.finds, before.commits)


def test_a_proof_costs_one_find_and_no_commit(site: Site) -> None:
    counted, before = Counted(site), Counted(plain := make_site())
    assert ask(site, "confidential", proof(site.now), grant_type=OWN).status == 200
    assert ask(plain, "confidential", grant_type=OWN).status == 200

    assert (counted.finds, counted.commits) == (before.finds + 1, before.commits)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("algorithms", []),
        ("algorithms", ["none"]),
        ("algorithms", ["HS256"]),
        ("algorithms", "ES256"),
        ("lifetime", 0),
        ("lifetime", 3_601),
        ("skew", -1),
        ("skew", 61),
        ("nonce_lifetime", 9),
    ],
)
def test_a_setting_that_cannot_be_is_refused(setting: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"dpop.{setting}"):
        Dpop(**{setting: value})  # type: ignore[arg-type]  # not what it takes


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"dpop=Dpop\(\)"):
        make_site(dpop=True)


def test_a_client_can_be_bound_only_where_proofs_are_taken() -> None:
    with pytest.raises(ConfigurationError, match="dpop_bound_access_tokens"):
        make_site().server.clients.check(BOUND)


def test_a_bound_client_gets_no_token_through_the_browser() -> None:
    """It would come without a proof."""
    client = Client(
        client_id="app",
        redirect_uris=(PUBLIC_CB,),
        grant_types=("implicit",),
        response_types=("token",),
        dpop_bound_access_tokens=True,
    )

    with pytest.raises(ConfigurationError, match="through the browser"):
        dpop_site(policy=Policy.oauth20()).server.clients.check(client)
    with pytest.raises(ConfigurationError, match=r"dpop\.required"):
        make_site(policy=Policy.oauth20(), dpop=Dpop(required=True))


def test_a_bound_client_that_only_the_host_stores_gets_none_either() -> None:
    """A host that stores its clients itself has had none of them checked."""
    site = dpop_site(policy=Policy.oauth20())
    client = Client(
        client_id="bound",
        redirect_uris=(PUBLIC_CB,),
        grant_types=("implicit",),
        response_types=("token",),
        scope="email",
    )
    known = site.drive(site.server.clients.register(client, replace=True), site.world).client
    for bound in ({"dpop_bound_access_tokens": True}, {"tls_client_certificate_bound_access_tokens": True}):
        stored = attrs.evolve(known, **bound)
        assert site.world.storage.commit((Replace(known, stored),))
        known = stored

        answer = site.authorize(site.alice, client_id="bound", redirect_uri=PUBLIC_CB, response_type="token")

        assert answer.refusal is not None
        assert answer.refusal.code == "unauthorized_client"
        known = attrs.evolve(stored, dpop_bound_access_tokens=False)
        assert site.world.storage.commit((Replace(stored, known),))


def test_registrations_name_it_as_the_standard_does() -> None:
    read = read_metadata({"dpop_bound_access_tokens": True}, openid=False)

    assert read["dpop_bound_access_tokens"] is True
    assert metadata_of(BOUND)["dpop_bound_access_tokens"] is True
    assert "dpop_bound_access_tokens" not in metadata_of(PUBLIC)


def test_an_error_says_what_to_do() -> None:
    assert InvalidDpopProof("x").code == "invalid_dpop_proof"
    assert InvalidDpopProof("x").status == 400
