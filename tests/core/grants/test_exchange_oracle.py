"""What a client learns of tokens that it may not exchange: nothing, not even whether they live (RFC 8693 section 5).

A client that got hold of a token which was not meant for it could otherwise find out which ones are worth keeping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from oauthcore import (
    AllowedExchange,
    ExchangeAllowance,
    ExchangeRule,
    Response,
    SubjectRule,
    TokenExchange,
    TrustedIssuer,
)
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from tests.core.assertions.issuing import GIVEN, IDP, IssuerServer, assertion
from tests.core.grants.exchanging import (
    API,
    APP,
    BY_BACK,
    BY_GATEWAY,
    CHAT,
    GATEWAY,
    OF_ITS_OWN,
    exchange,
    exchange_site,
    own_token,
    revocation,
    signed_in,
)
from tests.core.site import Counted, Site, form, refused

PUBLIC = attrs.evolve(GATEWAY, token_endpoint_auth_method="none", grant_types=(GRANT_TYPE,))
OF_NOBODY = attrs.evolve(BY_GATEWAY, subject_client_ids=[])
BY_HOST = AllowedExchange(audience=[API])
JWT_ONLY = ExchangeRule(client_ids=["gateway"], subject_token_types=["id_token"], audience=[API])


def settings(*rules: ExchangeRule) -> dict[str, Any]:
    """Return the settings with these rules."""
    return {"rules": rules}


def by_host(answer: AllowedExchange | None) -> dict[str, Any]:
    """Return the settings with a function of the host that always answers so."""
    return {"rules": None, "token_exchange": TokenExchange(decide=lambda _: answer)}


# What is configured, and what the request has beside a token of the app's.
SITUATIONS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no rule names it": (settings(OF_ITS_OWN), {}),
    "the rule is about another type of token": (settings(JWT_ONLY), {}),
    "the rule is about tokens of others": (settings(OF_NOBODY), {}),
    "the rule is about tokens that were sent to it": (
        settings(attrs.evolve(BY_BACK, client_ids=["gateway"])),
        {},
    ),
    "the rule is about another issued type": (
        settings(attrs.evolve(BY_GATEWAY, requested_token_types=["jwt"])),
        {},
    ),
    "an actor token that is none": (
        settings(OF_NOBODY),
        {"actor_token": "none", "actor_token_type": "access_token"},
    ),
    "a target that is none": (settings(OF_NOBODY), {"audience": "https://evil.example"}),
    "a scope that is none": (settings(OF_NOBODY), {"scope": "delete"}),
    "an ID-JAG": (settings(OF_NOBODY), {"requested_token_type": "id-jag", "audience": CHAT}),
    "the host's function says no": (by_host(None), {}),
    "a public client": ({**settings(BY_GATEWAY), "clients": (APP, PUBLIC)}, {}),
    "a public client that is allowed for tokens of others": (
        {
            **settings(BY_GATEWAY, attrs.evolve(OF_NOBODY, allow=[ExchangeAllowance.PUBLIC_CLIENT])),
            "clients": (APP, PUBLIC),
        },
        {},
    ),
    "a public client and the host's function": ({**by_host(BY_HOST), "clients": (APP, PUBLIC)}, {}),
}


def asked(site: Site, situation: str, token: str) -> Response:
    """Return the answer to the gateway, whether it is a public client here or not."""
    configured, values = SITUATIONS[situation]
    if PUBLIC in configured.get("clients", ()):
        types = {"subject_token_type": TOKEN_TYPE + "access_token", **values}
        return site.post("/token", form(client_id="gateway", grant_type=GRANT_TYPE, subject_token=token, **types))
    return exchange(site, "gateway", token, **values)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_live_token_is_refused_as_one_that_is_none(situation: str) -> None:
    site = exchange_site(**SITUATIONS[situation][0])
    live, revoked = (signed_in(site)["access_token"] for _ in range(2))
    site.handle(revocation("app", revoked))

    answers = [asked(site, situation, token) for token in (live, revoked, "unknown")]

    assert [(answer.status, answer.body, answer.headers) for answer in answers] == [
        (400, answers[0].body, answers[0].headers)
    ] * 3


@pytest.mark.parametrize("kind", ["refresh_token", "id_token"])
def test_other_tokens_of_the_app_are_refused_as_ones_that_are_none(kind: str) -> None:
    site = exchange_site(rules=None, token_exchange=TokenExchange(decide=lambda _: None))
    live, dead = signed_in(site)[kind], "unknown"

    assert exchange(site, "gateway", live, kind).body == exchange(site, "gateway", dead, kind).body


def test_own_token_of_another_client_is_refused_as_one_that_is_none() -> None:
    site = exchange_site()

    live = exchange(site, "gateway", own_token(site, "app"))

    assert refused(live, "invalid_request", "own token")
    assert live.body == exchange(site, "gateway", "unknown").body


def test_actor_token_of_another_client_is_refused_as_one_that_is_none() -> None:
    site = exchange_site()
    token = signed_in(site)["access_token"]
    answers = [
        exchange(site, "gateway", token, actor_token=actor, actor_token_type="access_token").body
        for actor in (own_token(site, "back"), "unknown")
    ]

    assert answers[0] == answers[1]


def test_token_of_an_issuer_that_the_client_may_not_present_is_refused_as_one_that_is_none() -> None:
    rule = ExchangeRule(client_ids=["gateway"], subject_token_types=["jwt"], subject_issuers=[IDP], audience=[API])
    trusted = TrustedIssuer(
        issuer=IDP,
        keys=GIVEN,
        uses=["token-exchange"],
        subjects=[SubjectRule(claims={"sub": "a1"}, subject="alice")],
        client_ids=["app"],
    )
    site = exchange_site(rules=[rule], trusted_issuers=[trusted])
    bogus = {"actor_token": "none", "actor_token_type": "access_token"}

    for values in ({}, bogus):
        live = exchange(site, "gateway", assertion(), "jwt", **values)
        dead = exchange(site, "gateway", assertion(exp=site.now - 90), "jwt", **values)
        assert (live.status, live.body) == (400, dead.body)


@pytest.mark.parametrize(
    "situation", ["no rule names it", "the rule is about another type of token", "a public client", "an ID-JAG"]
)
def test_what_no_rule_could_allow_is_refused_before_any_token_is_looked_for(situation: str) -> None:
    site = exchange_site(**SITUATIONS[situation][0])
    token = signed_in(site)["access_token"]
    counted = Counted(site)

    assert asked(site, situation, token).status == 400
    assert counted.finds == 1, "the client"


def test_token_of_another_issuer_costs_no_request_where_no_rule_takes_it() -> None:
    trusted = TrustedIssuer(
        issuer=IDP, uses=["token-exchange"], subjects=[SubjectRule(claims={"sub": "a1"}, subject="alice")]
    )
    server = IssuerServer()
    site = exchange_site(rules=[BY_GATEWAY], trusted_issuers=[trusted])
    site.world = attrs.evolve(site.world, fetch=server)

    assert refused(exchange(site, "gateway", assertion(), "jwt"), "invalid_request", "not for")
    assert server.asked == []
