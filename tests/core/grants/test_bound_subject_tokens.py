"""Tokens that are bound to a key, as subject tokens: an exchange takes nothing of what binds them off (RFC 9449)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Dpop, ExchangeAllowance, ExchangeRule, Response
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from tests.core.dpop.proving import key, proof
from tests.core.grants.exchanging import APP, CLIENTS, exchange_site
from tests.core.site import VERIFIER, Drive, Site, form, members, params, refused

SPA = attrs.evolve(
    APP,
    client_id="spa",
    token_endpoint_auth_method="none",
    grant_types=("authorization_code", "refresh_token", GRANT_TYPE),
)
RULE = ExchangeRule(
    client_ids=["spa"],
    subject_token_types=["access_token", "refresh_token"],
    mode="impersonation",
    allow=[ExchangeAllowance.PUBLIC_CLIENT],
)
KINDS = ("access_token", "refresh_token")


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site at which a public client proves its key, and exchanges tokens."""
    return exchange_site(drive, rules=(RULE,), clients=(*CLIENTS, SPA), dpop=Dpop())


def ask(site: Site, *proofs: str, **values: str) -> Response:
    """Ask the token endpoint with these proofs."""
    return site.post("/token", form(client_id="spa", **values), *(("DPoP", one) for one in proofs))


def bound_tokens(site: Site) -> dict[str, Any]:
    """Return the tokens that the client gets for alice, which are bound to its key."""
    answer = site.approve(site.authorize(None, client_id="spa", redirect_uri=None, scope="email read"))
    code = params(answer)["code"]
    given = ask(site, proof(site.now), grant_type="authorization_code", code=code, code_verifier=VERIFIER)
    assert given.status == 200, given
    return members(given)


def exchange(site: Site, token: str, kind: str, *proofs: str) -> Response:
    """Exchange a token of that kind."""
    return ask(site, *proofs, grant_type=GRANT_TYPE, subject_token=token, subject_token_type=TOKEN_TYPE + kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_token_is_not_exchanged_without_its_key(site: Site, kind: str) -> None:
    token = bound_tokens(site)[kind]

    for proofs in ((), (proof(site.now, key(1)),)):
        assert refused(exchange(site, token, kind, *proofs), "invalid_request", "bound to a key that was not proven")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_token_is_exchanged_with_its_key(site: Site, kind: str) -> None:
    token = bound_tokens(site)[kind]

    assert members(exchange(site, token, kind, proof(site.now)))["token_type"] == "DPoP"
