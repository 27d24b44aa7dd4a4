"""Refresh tokens that are not rotated: revocation and reuse detection stay sound (FAPI 2.0 SP section 5.3.2.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from oauthcore import Dpop, Lifetimes, Policy, RefreshRotation, Response, Secret
from oauthcore.flow.effects import Flow
from oauthcore.records.token import RefreshToken
from oauthcore.testing import Factory, Run
from tests.core.dpop.proving import ask, dpop_site, key, proof
from tests.core.dpop.test_bound_codes import requesting
from tests.core.site import CONFIDENTIAL, VERIFIER, Drive, Site, members, refused
from tests.core.test_interleavings import Meeting, Prepare, explored, revocation

Record = Callable[[str, object], None]
LIFETIMES = Lifetimes(access_token_lifetime=300, refresh_token_lifetime=900, grant_lifetime=3_600)
POLICY = attrs.evolve(Policy.oauth21(lifetimes=LIFETIMES), refresh_rotation=RefreshRotation.UNLESS_SENDER_CONSTRAINED)
PUBLIC_CB = "https://public.example/cb"


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site that rotates only where it has to."""
    return dpop_site(drive, policy=POLICY)


def signed_in(site: Site, client_id: str = "confidential") -> dict[str, Any]:
    """Return the tokens of a client that proves a key."""
    callback = PUBLIC_CB if client_id == "public" else CONFIDENTIAL.redirect_uris[0]
    code = site.code(client_id=client_id, redirect_uri=callback)
    values = {"code": code, "redirect_uri": callback, "code_verifier": VERIFIER}
    return members(ask(site, client_id, proof(site.now), grant_type="authorization_code", **values))


def refresh(site: Site, token: str, *proofs: str, client_id: str = "confidential") -> Response:
    """Refresh with these proofs."""
    return ask(site, client_id, *proofs, grant_type="refresh_token", refresh_token=token)


def test_the_token_of_a_confidential_client_with_a_key_stays(site: Site) -> None:
    tokens = signed_in(site)

    answers = [members(refresh(site, tokens["refresh_token"], proof(site.now))) for _ in range(3)]

    assert all("refresh_token" not in answer for answer in answers)
    assert len({tokens["access_token"], *(answer["access_token"] for answer in answers)}) == 4
    assert all(site.is_active(answer["access_token"]) for answer in answers)
    assert {answer["token_type"] for answer in answers} == {"DPoP"}


def test_it_may_be_used_with_another_key_which_binds_what_it_brings(site: Site) -> None:
    token = signed_in(site)["refresh_token"]

    answer = members(refresh(site, token, proof(site.now, key(1))))

    assert site.introspect(answer["access_token"])["cnf"] == {"jkt": key(1).thumbprint}


def test_each_use_begins_its_idle_lifetime_anew_and_never_the_grants(site: Site) -> None:
    token = signed_in(site)["refresh_token"]

    for _ in range(4):
        site.clock.now += 800
        assert refresh(site, token, proof(site.now)).status == 200
    record = site.world.storage.find(RefreshToken, site.server.context().digest("refresh_token", Secret(token)))
    assert record is not None and record.expires_at < site.now + 900

    site.clock.now += 401
    assert refused(refresh(site, token, proof(site.now)), "invalid_grant")


def test_an_idle_one_expires(site: Site) -> None:
    token = signed_in(site)["refresh_token"]

    site.clock.now += 901

    assert refused(refresh(site, token, proof(site.now)), "invalid_grant", "expired")


def test_without_a_proof_it_rotates_and_a_replaced_one_is_still_reuse(site: Site) -> None:
    token = signed_in(site)["refresh_token"]
    second = members(refresh(site, token))["refresh_token"]
    third = members(refresh(site, second))

    assert refused(refresh(site, token, proof(site.now)), "invalid_grant", "used before")
    assert not site.is_active(third["access_token"])


def test_that_of_a_public_client_rotates(site: Site) -> None:
    token = signed_in(site, "public")["refresh_token"]

    assert members(refresh(site, token, proof(site.now), client_id="public"))["refresh_token"] != token


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_a_revocation_ends_all_that_it_brought(site: Site, which: str) -> None:
    tokens = signed_in(site)
    renewed = members(refresh(site, tokens["refresh_token"], proof(site.now)))

    revoked = tokens["refresh_token"] if which == "refresh_token" else renewed["access_token"]
    assert site.revoke(revoked).status == 200

    assert not site.is_active(renewed["access_token"])
    if which == "refresh_token":
        assert refused(refresh(site, tokens["refresh_token"], proof(site.now)), "invalid_grant")


def test_always_is_the_default() -> None:
    site = dpop_site()
    token = signed_in(site)["refresh_token"]

    assert members(refresh(site, token, proof(site.now)))["refresh_token"] != token


class Kept(Meeting):
    """Let flows meet at a site that rotates only where it has to."""

    def __init__(self, prepare: Prepare, flows: int = 2) -> None:
        super().__init__(prepare, flows=flows, dpop=Dpop(), policy=POLICY)


def test_two_refreshes_at_once_both_succeed(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        token = signed_in(site)["refresh_token"]
        values = {"grant_type": "refresh_token", "refresh_token": token}
        return [requesting(site, proof(site.now), **values) for _ in range(2)]

    def check(run: Run[Response]) -> None:
        assert [response.status for response in run.results] == [200, 200]

    explored(record_property, Kept(prepare), check, kept)


def test_a_refresh_that_meets_a_revocation_leaves_nothing_live(record_property: Record, kept: Factory) -> None:
    sites: list[Site] = []

    def prepare(site: Site) -> list[Flow[Any]]:
        sites.append(site)
        token = signed_in(site)["refresh_token"]
        values = {"grant_type": "refresh_token", "refresh_token": token}
        return [requesting(site, proof(site.now), **values), site.server.handle(revocation(token))]

    def check(run: Run[Response]) -> None:
        refreshed, _ = run.results
        if refreshed.status == 200:
            assert not sites[-1].is_active(members(refreshed)["access_token"])

    explored(record_property, Kept(prepare), check, kept)
