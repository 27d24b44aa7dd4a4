"""Subject tokens of trusted issuers: for whom they stand here, and what they are exchanged for (RFC 8693)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import ConfigurationError, ExchangeAllowance, ExchangeRule, Response, SubjectRule, TrustedIssuer
from oauthcore.records.actor import MAX_ACTORS
from oauthcore.records.grant import Grant
from tests.core.assertions.issuing import DISCOVERY, GIVEN, IDP, JWKS, OTHER_KEY, IssuerServer, assertion
from tests.core.grants.exchanging import (
    API,
    exchange,
    exchange_site,
    exchanged,
    introspected,
)
from tests.core.site import ISSUER, Drive, Site, refused

TRUSTED = TrustedIssuer(
    issuer=IDP,
    keys=GIVEN,
    uses=["token-exchange"],
    subjects=[
        SubjectRule(claims={"sub": "a1"}, subject="alice"),
        SubjectRule(claims={"sub": "narrow"}, subject="alice", scope="read"),
        SubjectRule(claims={"sub": "workload"}, client_id="gateway"),
        SubjectRule(claims={"sub": "other"}, subject="alice", client_id="back"),
        SubjectRule(claims={"connection": "staff"}, subject_claim="sub"),
    ],
)
RULE = ExchangeRule(client_ids=["gateway"], subject_token_types=["jwt"], subject_issuers=[IDP], audience=[API])


def foreign_site(drive: Any = None, *, issuer: TrustedIssuer = TRUSTED, rule: ExchangeRule = RULE) -> Site:
    """Make a site that exchanges what that issuer signs."""
    return exchange_site(*(() if drive is None else (drive,)), rules=[rule], trusted_issuers=[issuer])


def test_a_token_of_a_trusted_issuer_is_exchanged_for_one_of_its_user_here(drive: Drive) -> None:
    site = foreign_site(drive)

    answer = exchanged(site, "gateway", assertion(), "jwt", scope="read")

    described = introspected(site, answer["access_token"])
    assert (described["sub"], described["client_id"], described["aud"]) == ("alice", "gateway", [API])
    assert (described["act"], answer["expires_in"]) == ({"sub": "gateway@clients"}, 300)


def test_what_it_was_exchanged_for_is_on_the_users_account_page_and_ends_there() -> None:
    site = foreign_site()
    token = exchanged(site, "gateway", assertion(), "jwt")["access_token"]

    (application,) = site.drive(site.server.applications.of("alice"), site.world)
    assert (application.client_id, application.is_active) == ("gateway", True)
    site.drive(site.server.applications.withdraw("alice", "gateway"), site.world)

    assert introspected(site, token) == {"active": False}


def test_it_is_used_up_by_nothing_and_each_exchange_is_a_grant_of_its_own() -> None:
    site = foreign_site()
    text = assertion(jti=None)

    for _ in range(2):
        assert exchange(site, "gateway", text, "jwt").status == 200

    grants = site.world.storage.find_of(Grant, "alice")
    assert [grant.expires_at for grant in grants] == [site.now + 300] * 2


def test_it_says_who_acted_before() -> None:
    """RFC 8693 section 4.1: an actor of another issuer is named with it."""
    site = foreign_site()
    act = {"sub": "proxy", "act": {"sub": "robot", "iss": "https://robots.example"}}

    token = exchanged(site, "gateway", assertion(act=act), "jwt")["access_token"]

    assert introspected(site, token)["act"] == {
        "sub": "gateway@clients",
        "act": {"sub": "proxy", "iss": IDP, "act": {"sub": "robot", "iss": "https://robots.example"}},
    }


def test_it_is_bounded_by_the_rule_for_its_user_and_by_the_registration() -> None:
    site = foreign_site()

    assert exchanged(site, "gateway", assertion(sub="narrow"), "jwt")["scope"] == "read"
    assert exchanged(site, "gateway", assertion(), "jwt")["scope"] == "email read write audit"
    assert refused(exchange(site, "gateway", assertion(sub="narrow"), "jwt", scope="write"), "invalid_scope")


def test_it_lasts_no_longer_than_the_subject_token_says() -> None:
    site = foreign_site()

    answer = exchanged(site, "gateway", assertion(exp=site.now + 40), "jwt")

    assert answer["expires_in"] == 40


def test_one_that_has_expired_is_refused_though_its_issuer_s_clock_may_be_slow() -> None:
    """What is issued for it would be over before it arrives."""
    site = foreign_site()

    assert exchange(site, "gateway", assertion(exp=site.now + 1), "jwt").status == 200
    for seconds in (0, -59):
        response = exchange(site, "gateway", assertion(exp=site.now + seconds), "jwt")
        assert refused(response, "invalid_request", "has expired")


def test_one_that_has_expired_is_refused_also_where_the_rule_lets_a_token_outlive_it() -> None:
    longer = attrs.evolve(RULE, lifetime=600, allow=[ExchangeAllowance.OUTLIVE_SUBJECT])
    site = foreign_site(rule=longer)

    assert exchange(site, "gateway", assertion(exp=site.now + 1), "jwt").status == 200
    assert refused(exchange(site, "gateway", assertion(exp=site.now), "jwt"), "invalid_request", "has expired")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": OTHER_KEY}, "none of the keys"),
        ({"aud": "https://other.example"}, "aud is not this server"),
        ({"aud": ["https://as.example", "https://other.example"]}, "aud is not this server"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"typ": "oauth-id-jag+jwt"}, "another kind of JWT"),
        ({"typ": "logout+jwt"}, "another kind of JWT"),
        ({"sub": "nobody"}, "no user here"),
        ({"sub": "workload"}, "no user here"),
        ({"sub": "other"}, "another client"),
        ({"sub": "bob", "connection": "staff"}, "does not know"),
        ({"sub": "app@clients", "connection": "staff"}, "no user here"),
        ({"sub": "a\u0000", "connection": "staff"}, "no user here"),
        ({"cnf": {"jkt": "x"}}, "bound to a key"),
        ({"act": "proxy"}, "who acts"),
        ({"act": {"iss": "x"}}, "who acts"),
        ({"act": {"sub": "bob", "iss": ISSUER}}, "who acts"),
        ({"act": {"sub": "proxy", "act": {"sub": "bob", "iss": ISSUER + "/"}}}, "who acts"),
        ({"act": {"sub": "a" * 256}}, "who acts"),
        ({"may_act": ["gateway"]}, "no object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_it_is_an_invalid_request(changes: dict[str, Any], reason: str) -> None:
    """RFC 8693 section 2.2.2, and not the invalid_grant of an assertion."""
    assert refused(exchange(foreign_site(), "gateway", assertion(**changes), "jwt"), "invalid_request", reason)


@pytest.mark.parametrize(
    ("may_act", "status"),
    [
        ({"sub": "gateway@clients", "iss": "https://as.example"}, 200),
        ({"client_id": "gateway", "iss": "https://as.example"}, 200),
        ({"sub": "gateway@clients"}, 400),
        ({"client_id": "gateway"}, 400),
    ],
    ids=["named here", "its client_id here", "named there", "its client_id there"],
)
def test_whom_it_lets_act_is_a_name_of_its_issuers_unless_it_says_ours(may_act: dict[str, str], status: int) -> None:
    """RFC 8693 section 4.4."""
    assert exchange(foreign_site(), "gateway", assertion(may_act=may_act), "jwt").status == status


def test_a_chain_of_actors_that_is_too_long_is_refused() -> None:
    act: dict[str, Any] = {"sub": "0"}
    for number in range(1, MAX_ACTORS + 1):
        act = {"sub": str(number), "act": act}

    assert refused(exchange(foreign_site(), "gateway", assertion(act=act), "jwt"), "invalid_request", "too long")


def test_an_issuer_that_is_trusted_for_something_else_is_a_stranger() -> None:
    elsewhere = attrs.evolve(TRUSTED, uses=["jwt-bearer"])
    with pytest.raises(ConfigurationError, match="subject_issuers"):
        foreign_site(issuer=elsewhere)

    site = exchange_site(trusted_issuers=[elsewhere])
    assert refused(exchange(site, "gateway", assertion(), "jwt"), "invalid_request", "unknown")


def test_a_rule_for_tokens_of_this_server_lets_in_none_of_others() -> None:
    site = exchange_site(trusted_issuers=[TRUSTED])

    assert refused(exchange(site, "gateway", assertion(), "jwt"), "invalid_request", "not allowed")


def test_a_client_that_may_not_present_them_is_refused() -> None:
    site = foreign_site(issuer=attrs.evolve(TRUSTED, client_ids=["app"]))

    assert refused(exchange(site, "gateway", assertion(), "jwt"), "invalid_request", "may not present")


@pytest.mark.parametrize("kind", ["access_token", "id_token", "refresh_token"])
def test_it_is_taken_as_a_jwt_and_as_nothing_else(kind: str) -> None:
    others = ExchangeRule(client_ids=["gateway"], subject_token_types=["access_token", "id_token", "refresh_token"])
    site = exchange_site(rules=[RULE, others], trusted_issuers=[TRUSTED])

    assert refused(exchange(site, "gateway", assertion(), kind), "invalid_request", "unknown")


def test_it_is_no_actor_token() -> None:
    site = foreign_site()

    response = exchange(site, "gateway", assertion(), "jwt", actor_token=assertion(), actor_token_type="jwt")

    assert refused(response, "invalid_request", "the actor token")


def test_no_assertion_for_another_domain_is_issued_for_it() -> None:
    """An ID-JAG says who has signed in here."""
    site = foreign_site()

    response = exchange(
        site, "gateway", assertion(), "jwt", requested_token_type="id-jag", audience="https://chat.example"
    )

    assert refused(response, "invalid_request", "an ID-JAG is issued for")


def test_its_issuers_keys_are_fetched_once() -> None:
    server = IssuerServer()
    site = foreign_site(issuer=attrs.evolve(TRUSTED, keys=None))
    site.world = attrs.evolve(site.world, fetch=server)

    for _ in range(2):
        assert exchange(site, "gateway", assertion(), "jwt").status == 200

    assert server.asked == [DISCOVERY, JWKS]


def test_where_its_issuers_keys_can_not_be_fetched_it_may_be_a_good_one() -> None:
    site = foreign_site(issuer=attrs.evolve(TRUSTED, keys=None))
    site.world = attrs.evolve(site.world, fetch=lambda _: Response(503))

    assert exchange(site, "gateway", assertion(), "jwt").status == 503


@pytest.mark.parametrize(
    "changes",
    [{"subject_token_types": ["jwt"]}, {"subject_issuers": [IDP]}],
)
def test_issuers_and_their_type_are_named_together(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        ExchangeRule(client_ids=["gateway"], **changes)

    assert error.value.setting == "subject_issuers"


@pytest.mark.parametrize(
    "claims",
    [
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"typ": "at+jwt", "authorization_details": [{"type": "payment"}]},
    ],
)
def test_a_token_that_means_something_else_or_less_than_it_seems_is_not_exchanged(claims: dict[str, Any]) -> None:
    site = foreign_site()

    answer = exchange(site, "gateway", assertion(**claims), "jwt")

    assert refused(answer, "invalid_request")


def test_a_server_does_not_trust_itself_as_another_issuer() -> None:
    own = attrs.evolve(TRUSTED, issuer=ISSUER)

    with pytest.raises(ConfigurationError, match="leave the server itself out"):
        foreign_site(issuer=own)
