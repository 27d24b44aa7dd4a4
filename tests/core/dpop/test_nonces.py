"""Nonces of the server: without state, the same on every worker, and given in time (RFC 9449 section 8)."""

from __future__ import annotations

from typing import Any

import pytest

from oauthcore import Dpop, Response
from oauthcore.digest import Derivation
from oauthcore.dpop.nonce import current_nonce, is_recent
from tests.core.dpop.proving import ask, dpop_site, proof
from tests.core.site import ISSUER, TOKEN_KEY, Drive, Site, refused

OWN = "client_credentials"
LIFETIME = 300
DERIVE = Derivation(ISSUER, TOKEN_KEY)


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site that wants a nonce in each proof."""
    return dpop_site(drive, Dpop(require_nonce=True, nonce_lifetime=LIFETIME))


def asked(site: Site, **claims: Any) -> Response:
    """Return the answer to a proof with such claims."""
    return ask(site, "confidential", proof(site.now, **claims), grant_type=OWN)


def given(response: Response) -> str:
    """Return the nonce that a response gives out."""
    nonce = response.header("DPoP-Nonce")
    assert nonce is not None, response
    return nonce


@pytest.mark.parametrize("nonce", [None, "", "n-of-elsewhere"])
def test_proof_without_a_good_nonce_is_answered_with_one(site: Site, nonce: str | None) -> None:
    first = asked(site) if nonce is None else asked(site, nonce=nonce)

    assert first.status == 400
    assert refused(first, "use_dpop_nonce")
    assert asked(site, nonce=given(first)).status == 200


def test_nonce_is_good_for_its_lifetime_and_the_next_comes_in_time(site: Site) -> None:
    site.clock.now -= site.clock.now % LIFETIME
    nonce = given(asked(site))

    site.clock.now += LIFETIME - 1
    unchanged = asked(site, nonce=nonce)
    site.clock.now += LIFETIME
    renewed = asked(site, nonce=nonce)
    site.clock.now += 1
    too_old = asked(site, nonce=nonce)

    assert (unchanged.status, unchanged.header("DPoP-Nonce")) == (200, None)
    assert renewed.status == 200
    assert given(renewed) != nonce
    assert refused(too_old, "use_dpop_nonce", "too old")
    assert asked(site, nonce=given(renewed)).status == 200


def test_wrong_proof_is_given_no_nonce(site: Site) -> None:
    response = asked(site, htm="GET")

    assert refused(response, "invalid_dpop_proof")
    assert response.header("DPoP-Nonce") is None


def test_proof_is_not_spent_by_the_nonce_that_it_lacks(site: Site) -> None:
    nonce = given(asked(site, jti="same"))

    assert asked(site, jti="same", nonce=nonce).status == 200


def test_nonce_is_not_looked_at_where_none_is_demanded() -> None:
    site = dpop_site()

    response = asked(site, nonce="of another day")

    assert (response.status, response.header("DPoP-Nonce")) == (200, None)


def test_workers_whose_clocks_differ_take_each_others_nonces() -> None:
    now = 1_800_000_000
    nonce = current_nonce(DERIVE, now, LIFETIME)

    assert is_recent(nonce, DERIVE, now - 1, LIFETIME)
    assert is_recent(nonce, DERIVE, now + LIFETIME, LIFETIME)
    assert not is_recent(nonce, DERIVE, now + 2 * LIFETIME, LIFETIME)
    assert not is_recent(nonce, DERIVE, now - LIFETIME - 1, LIFETIME)


def test_nonces_of_another_key_or_issuer_are_none() -> None:
    now = 1_800_000_000

    assert not is_recent(current_nonce(Derivation(ISSUER, bytes(32)), now, LIFETIME), DERIVE, now, LIFETIME)
    assert not is_recent(
        current_nonce(Derivation("https://other.example", TOKEN_KEY), now, LIFETIME), DERIVE, now, LIFETIME
    )
