"""DPoP at UserInfo: a bound token opens it with a proof alone (RFC 9449 section 7, OIDC Core section 5.3)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Dpop, Request, Response
from tests.core.dpop.proving import ath, key, proof
from tests.core.oidc.provider import CALLBACK, RP, SECRETS, provider
from tests.core.oidc.test_requests import remembered
from tests.core.site import ISSUER, Counted, Drive, Site, basic, form, members

URL = f"{ISSUER}/userinfo"


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider that takes proofs."""
    return provider(drive, dpop=Dpop())


def redemption(site: Site) -> bytes:
    """Return the form that redeems a fresh code."""
    code = remembered(site, None, scope="openid email")["code"]
    return form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)


def bound(site: Site) -> str:
    """Return an access token that is bound to the first key."""
    body = form(
        grant_type="authorization_code",
        code=remembered(site, None, scope="openid email")["code"],
        redirect_uri=CALLBACK,
    )
    response = site.post("/token", body, basic("rp", SECRETS["rp"]), ("DPoP", proof(site.now)))
    assert members(response)["token_type"] == "DPoP"
    token = members(response)["access_token"]
    assert isinstance(token, str)
    return token


def right(site: Site, token: str, number: int = 0, **claims: Any) -> str:
    """Return a proof for UserInfo."""
    known: dict[str, Any] = {"htm": "GET", "htu": URL, "ath": ath(token)}
    return proof(site.now, key(number), **{**known, **claims})


def ask(site: Site, token: str, *proofs: str, scheme: str = "DPoP", method: str = "GET") -> Response:
    """Ask for what is known of the user."""
    headers = (("Authorization", f"{scheme} {token}"), *(("DPoP", one) for one in proofs))
    return site.handle(Request(method, "/userinfo", headers))


def challenges(response: Response) -> list[str]:
    """Return the challenges of a refusal by 401."""
    assert response.status == 401, response
    return [value for name, value in response.headers if name == "WWW-Authenticate"]


def test_bound_token_opens_it_with_its_proof(site: Site) -> None:
    token = bound(site)

    response = ask(site, token, right(site, token))

    assert members(response)["sub"] == "alice"


@pytest.mark.parametrize("number", [0, 1])
def test_proof_is_good_once_there(site: Site, number: int) -> None:
    token = bound(site)
    same = right(site, token)
    first = ask(site, token, same)

    again = ask(site, token, same) if number == 0 else ask(site, token, right(site, token))

    assert first.status == 200
    assert again.status == (401 if number == 0 else 200)


@pytest.mark.parametrize("claims", [{"ath": ath("u" * 43)}, {"htu": f"{ISSUER}/token"}, {"htm": "POST"}])
def test_wrong_proof_is_refused_in_the_challenge_of_its_scheme(site: Site, claims: dict[str, Any]) -> None:
    token = bound(site)

    bearer, dpop = challenges(ask(site, token, right(site, token, **claims)))

    assert 'error="invalid_dpop_proof"' in dpop and 'algs="' in dpop
    assert "error=" not in bearer


def test_token_without_a_proof_or_with_another_key_is_refused(site: Site) -> None:
    token = bound(site)

    assert 'error="invalid_dpop_proof"' in challenges(ask(site, token))[1]
    assert 'error="invalid_token"' in challenges(ask(site, token, right(site, token, 1)))[1]
    assert 'error="invalid_token"' in challenges(ask(site, token, scheme="Bearer"))[0]
    assert 'error="invalid_token"' in challenges(ask(site, token, right(site, token), scheme="Bearer"))[0]
    posted = site.post("/userinfo", form(access_token=token), ("DPoP", right(site, token, htm="POST")))
    assert posted.status == 401


def test_plain_token_is_none_of_the_scheme(site: Site) -> None:
    body = form(
        grant_type="authorization_code",
        code=remembered(site, None, scope="openid email")["code"],
        redirect_uri=CALLBACK,
    )
    token = members(site.post("/token", body, basic("rp", SECRETS["rp"])))["access_token"]

    assert 'error="invalid_token"' in challenges(ask(site, token, right(site, token)))[1]
    assert ask(site, token, scheme="Bearer").status == 200


def test_nonce_is_demanded_there_too_and_pages_may_read_it(drive: Drive) -> None:
    site = provider(drive, dpop=Dpop(require_nonce=True), clients=(attrs.evolve(RP),), secrets=SECRETS)

    response = ask(site, "t" * 43, right(site, "t" * 43))

    assert 'error="use_dpop_nonce"' in challenges(response)[1]
    assert response.header("DPoP-Nonce")
    assert "DPoP-Nonce" in (response.header("access-control-expose-headers") or "")


def test_server_without_dpop_has_one_challenge(drive: Drive) -> None:
    site = provider(drive)

    (only,) = challenges(ask(site, "t" * 43, "nonsense"))
    assert only.startswith("Bearer ")


def test_bearer_tokens_cost_no_more_than_before(drive: Drive) -> None:
    site, plain = provider(drive, dpop=Dpop()), provider(drive)
    counts = []
    for each in (site, plain):
        token = members(each.post("/token", redemption(each), basic("rp", SECRETS["rp"])))["access_token"]
        counted = Counted(each)
        assert ask(each, token, scheme="Bearer").status == 200
        counts.append((counted.finds, counted.commits))

    assert counts[0] == counts[1]
