"""Codes that are bound to a key: by `dpop_jkt`, or by a proof with the pushed request (RFC 9449 section 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oauthcore import Dpop, MutualTls, PushedRequests, Request, Response
from oauthcore.flow.effects import Flow
from oauthcore.testing import Factory, Run
from tests.core.dpop.proving import ask, dpop_site, jkt, key, proof
from tests.core.pushed.pushing import push_request, use
from tests.core.site import (
    CONFIDENTIAL,
    FORM,
    ISSUER,
    VERIFIER,
    Drive,
    Site,
    basic,
    form,
    make_site,
    members,
    params,
    refused,
)
from tests.core.test_interleavings import Meeting, Prepare, explored

Record = Callable[[str, object], None]
PAR = f"{ISSUER}/par"
OWN = {"redirect_uri": CONFIDENTIAL.redirect_uris[0], "code_verifier": VERIFIER}


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site that takes proofs and pushed requests."""
    return dpop_site(drive, pushed_requests=PushedRequests())


def redeem(site: Site, code: str, *proofs: str) -> Response:
    """Redeem a code with these proofs."""
    return ask(site, "confidential", *proofs, grant_type="authorization_code", code=code, **OWN)


def push(site: Site, *proofs: str, **changes: str | None) -> Response:
    """Push a request with these proofs."""
    request = push_request("confidential", None, **changes)
    headers = (*request.headers, *(("dpop", one) for one in proofs))
    return site.handle(Request(request.method, request.target, headers, request.body))


def code_of(site: Site, pushed: Response) -> str:
    """Return the code that a pushed request gets."""
    assert pushed.status == 201, pushed
    return params(site.approve(use(site, members(pushed)["request_uri"])))["code"]


def test_code_is_bound_to_the_key_that_the_request_names(site: Site) -> None:
    code = site.code(dpop_jkt=jkt(key()))

    assert refused(redeem(site, code), "invalid_grant", "bound to a key")
    assert refused(redeem(site, code, proof(site.now, key(1))), "invalid_grant", "bound to a key")
    assert members(redeem(site, code, proof(site.now)))["token_type"] == "DPoP"


def test_replayed_code_without_its_key_ends_nothing(site: Site) -> None:
    code = site.code(dpop_jkt=jkt(key()))
    token = members(redeem(site, code, proof(site.now)))["access_token"]

    assert refused(redeem(site, code, proof(site.now, key(1))), "invalid_grant", "bound to a key")
    assert site.is_active(token)
    assert refused(redeem(site, code, proof(site.now)), "invalid_grant", "redeemed before")
    assert not site.is_active(token)


@pytest.mark.parametrize("value", ["x", "a" * 42, "a" * 43 + "=", "a" * 44, "ä" * 43, "a" * 42 + "B"])
def test_what_is_no_thumbprint_is_refused_before_anybody_signs_in(site: Site, value: str) -> None:
    answer = site.authorize(None, dpop_jkt=value)

    assert params(answer)["error"] == "invalid_request"


def test_server_without_dpop_ignores_the_parameter() -> None:
    site = make_site()

    assert redeem(site, site.code(dpop_jkt="anything")).status == 200


def test_proof_with_the_pushed_request_binds_the_code(site: Site) -> None:
    code = code_of(site, push(site, proof(site.now, htu=PAR)))

    assert refused(redeem(site, code, proof(site.now, key(1))), "invalid_grant", "bound to a key")
    assert redeem(site, code, proof(site.now)).status == 200


def test_parameter_of_the_pushed_request_binds_the_code(site: Site) -> None:
    code = code_of(site, push(site, dpop_jkt=jkt(key(1))))

    assert refused(redeem(site, code, proof(site.now)), "invalid_grant", "bound to a key")
    assert redeem(site, code, proof(site.now, key(1))).status == 200


def test_proof_and_parameter_have_to_agree(site: Site) -> None:
    """RFC 9449 section 10.1."""
    other = push(site, proof(site.now, htu=PAR), dpop_jkt=jkt(key(1)))

    assert refused(other, "invalid_dpop_proof", "another key")
    assert push(site, proof(site.now, htu=PAR), dpop_jkt=jkt(key())).status == 201


@pytest.mark.parametrize("claims", [{"htu": f"{ISSUER}/token"}, {"htm": "GET"}, {"iat": 0}])
def test_wrong_proof_keeps_a_request_from_being_pushed(site: Site, claims: dict[str, Any]) -> None:
    response = push(site, proof(site.now, **{"htu": PAR, **claims}))

    assert response.status == 400
    assert refused(response, "invalid_dpop_proof")


def test_proof_is_good_once_there_too(site: Site) -> None:
    same = proof(site.now, htu=PAR)

    assert push(site, same).status == 201
    assert refused(push(site, same), "invalid_dpop_proof", "used before")


def test_nonce_is_demanded_there_too(drive: Drive) -> None:
    site = dpop_site(drive, Dpop(require_nonce=True), pushed_requests=PushedRequests())

    first = push(site, proof(site.now, htu=PAR))
    assert refused(first, "use_dpop_nonce")
    assert push(site, proof(site.now, htu=PAR, nonce=first.header("dpop-nonce"))).status == 201


def test_what_the_browser_adds_does_not_unbind_the_code(site: Site) -> None:
    pushed = push(site, proof(site.now, htu=PAR))
    uri = members(pushed)["request_uri"]

    code = params(site.approve(use(site, uri, None, dpop_jkt=jkt(key(1)))))["code"]

    assert refused(redeem(site, code, proof(site.now, key(1))), "invalid_grant", "bound to a key")


def test_proof_may_name_the_endpoint_by_its_alias_for_certificates() -> None:
    """RFC 8705 section 5: a client that uses both calls the alias."""
    site = dpop_site(mutual_tls=MutualTls(endpoint_aliases="https://mtls.as.example"))

    by_alias = proof(site.now, htu="https://mtls.as.example/token")
    assert ask(site, "confidential", by_alias, grant_type="client_credentials").status == 200
    assert ask(site, "confidential", proof(site.now), grant_type="client_credentials").status == 200
    other = proof(site.now, htu="https://mtls.evil.example/token")
    assert refused(ask(site, "confidential", other, grant_type="client_credentials"), "invalid_dpop_proof", "htu")


class WithProofs(Meeting):
    """Let flows meet at a site that takes proofs."""

    def __init__(self, prepare: Prepare, flows: int = 2) -> None:
        super().__init__(prepare, flows=flows, dpop=Dpop(), pushed_requests=PushedRequests())


def requesting(site: Site, with_proof: str, **values: str) -> Flow[Response]:
    """Return a token request of a client that authenticates."""
    headers = (FORM, basic("confidential", "confidential-secret"), ("DPoP", with_proof))
    return site.server.handle(Request("POST", "/token", headers, form(**values)))


def test_proof_that_comes_to_two_workers_at_once_is_used_once(record_property: Record, kept: Factory) -> None:
    """RFC 9449 section 11.1."""

    def prepare(site: Site) -> list[Flow[Any]]:
        same = proof(site.now, jti="same")
        return [requesting(site, same, grant_type="client_credentials") for _ in range(2)]

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [200, 400]

    explored(record_property, WithProofs(prepare), check, kept)


def test_code_that_is_bound_goes_to_its_key_alone_in_any_order(record_property: Record, kept: Factory) -> None:
    """Neither is the code used up, nor the grant ended, by who has code and verifier without the key."""

    def prepare(site: Site) -> list[Flow[Any]]:
        code = site.code(dpop_jkt=jkt(key()))
        values = {"grant_type": "authorization_code", "code": code, **OWN}
        return [requesting(site, proof(site.now, key(number)), **values) for number in (0, 1)]

    def check(run: Run[Response]) -> None:
        owner, thief = run.results
        assert (owner.status, thief.status) == (200, 400)

    explored(record_property, WithProofs(prepare), check, kept)


def test_two_refreshes_with_one_proof_leave_one_family(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        token = members(site.redeem(site.code()))["refresh_token"]
        same = proof(site.now, jti="same")
        return [requesting(site, same, grant_type="refresh_token", refresh_token=token) for _ in range(2)]

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [200, 400]

    explored(record_property, WithProofs(prepare), check, kept)
