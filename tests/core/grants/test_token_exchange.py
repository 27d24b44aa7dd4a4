"""Token exchange: what is issued for which token, to whom, and how long it lives (RFC 8693)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    AllowedExchange,
    Client,
    ExchangeAllowance,
    ExchangeRequest,
    ExchangeRule,
    Request,
    Resource,
    ResourceServer,
    Response,
    Scope,
    Secret,
    TokenExchange,
    run,
)
from oauthcore.errors import InvalidRequest, OAuthError
from oauthcore.flow.outcome import Require
from oauthcore.grants.issuance import Tokens
from oauthcore.grants.subject_token import FoundToken, PresentedToken
from oauthcore.grants.token_exchange import Exchange, ExchangeFacts, decide
from oauthcore.oidc.person import NOBODY
from oauthcore.oidc.subject import subject_for
from oauthcore.openid import OpenID
from oauthcore.possession import ProofOfPossession
from oauthcore.records.actor import MAX_ACTORS, Actor
from oauthcore.records.client_subject import client_subject
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import KNOWN, IssuedTo
from oauthcore.records.token import AccessToken
from oauthcore.token_exchange import GRANT_TYPE
from tests.core.grants.exchanging import (
    API,
    APP,
    BACK,
    BACK_API,
    BY_BACK,
    BY_GATEWAY,
    GATEWAY,
    OF_ITS_OWN,
    RESOURCE,
    RULES,
    ask,
    claims_in,
    exchange,
    exchange_site,
    exchanged,
    introspected,
    own_token,
    record_of,
    revocation,
    signed_in,
)
from tests.core.site import ISSUER, VERIFIER, Counted, Drive, Site, asking, members, params, refused

KEY = Confirmation(jkt="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
GATEWAY_ACTS = Actor(client_subject("gateway"))


def test_a_gateway_exchanges_the_token_that_it_was_sent(drive: Drive) -> None:
    """RFC 8693 section 2.2.1."""
    site = exchange_site(drive)
    answer = exchanged(site, "gateway", signed_in(site)["access_token"])

    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert (answer["token_type"], answer["expires_in"], "refresh_token" in answer) == ("Bearer", 300, False)
    described = introspected(site, answer["access_token"])
    assert (described["client_id"], described["sub"], described["aud"]) == ("gateway", "alice", [API])
    assert site.events[-1].name == "token_exchanged"


def test_a_delegated_token_says_who_acts_and_who_did_before() -> None:
    """RFC 8693 section 4.1: the current actor is the outermost."""
    site = exchange_site()
    first = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]

    second = exchanged(site, "back", first)["access_token"]

    act = {"sub": "back@clients", "act": {"sub": "gateway@clients"}}
    assert introspected(site, second)["act"] == act
    request = Request("GET", "/", (("Authorization", f"Bearer {second}"),))
    access = run(ResourceServer(site.server.tokens, audience=BACK_API).verify(request), site.world)
    assert not isinstance(access, Response) and (access.act, access.subject) == (act, "alice")


def test_a_token_that_is_requested_as_a_jwt_says_the_same() -> None:
    """RFC 8693 sections 3 and 4.1, RFC 9068 section 2.2."""
    site = exchange_site()

    answer = exchanged(site, "gateway", signed_in(site)["access_token"], requested_token_type="jwt")

    claims = claims_in(answer["access_token"])
    assert (claims["aud"], claims["client_id"], claims["sub"]) == (API, "gateway", "alice")
    assert claims["act"] == {"sub": "gateway@clients"}
    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
    assert introspected(site, answer["access_token"])["active"] is True


def test_a_jwt_of_this_server_is_exchanged_as_either_type() -> None:
    site = exchange_site()
    signed = exchanged(site, "gateway", signed_in(site)["access_token"], requested_token_type="jwt")["access_token"]

    for kind in ("jwt", "access_token"):
        assert exchange(site, "back", signed, kind).status == 200


def test_an_impersonating_token_names_no_new_actor_and_hides_none() -> None:
    """RFC 8693 section 1.1."""
    impersonation = attrs.evolve(BY_BACK, mode="impersonation")
    site = exchange_site(rules=[BY_GATEWAY, impersonation])
    first = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]

    assert introspected(site, exchanged(site, "back", first)["access_token"])["act"] == {"sub": "gateway@clients"}


def test_an_actor_token_of_the_client_says_who_acts() -> None:
    """RFC 8693 section 2.1."""
    site = exchange_site()
    token = signed_in(site)["access_token"]

    answer = exchanged(site, "gateway", token, actor_token=own_token(site, "gateway"), actor_token_type="access_token")

    assert introspected(site, answer["access_token"])["act"] == {"sub": "gateway@clients"}


# What is refused, and why.


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token": "unknown"}, "invalid_request"),
        ({"subject_token_type": "saml2"}, "invalid_request"),
        ({"subject_token_type": "id_token"}, "invalid_request"),
        ({"subject_token_type": "refresh_token"}, "invalid_request"),
        ({"subject_token_type": "jwt"}, "invalid_request"),
        ({"actor_token_type": "access_token"}, "invalid_request"),
        ({"actor_token": "a"}, "invalid_request"),
        ({"actor_token": "a", "actor_token_type": "refresh_token"}, "invalid_request"),
        ({"actor_token": "a", "actor_token_type": "access_token"}, "invalid_request"),
        ({"requested_token_type": "refresh_token"}, "invalid_request"),
        ({"requested_token_type": "id_token"}, "invalid_request"),
        ({"requested_token_type": "id-jag"}, "invalid_request"),
        ({"audience": "https://evil.example"}, "invalid_target"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"resource": [API, BACK_API]}, "invalid_target"),
        ({"resource": "not a URI"}, "invalid_target"),
        ({"resource": API + "#fragment"}, "invalid_target"),
        ({"audience": [f"a{number}" for number in range(30)]}, "invalid_target"),
        ({"scope": "read delete"}, "invalid_scope"),
        ({"scope": "audit"}, "invalid_scope"),
        ({"scope": 'read"'}, "invalid_scope"),
    ],
)
def test_a_wrong_request_is_refused_by_its_own_error(changes: dict[str, Any], error: str) -> None:
    """RFC 8693 section 2.2.2."""
    site = exchange_site()

    response = exchange(site, "gateway", signed_in(site)["access_token"], **changes)

    assert refused(response, error)


def test_a_token_type_has_to_be_written_in_full() -> None:
    """RFC 8693 section 3: an absolute URI."""
    site = exchange_site()
    token = signed_in(site)["access_token"]

    response = ask(site, "gateway", grant_type=GRANT_TYPE, subject_token=token, subject_token_type="access_token")

    assert refused(response, "invalid_request", "no tokens of this type")


def test_without_settings_the_grant_type_is_not_offered() -> None:
    site = exchange_site(rules=None, clients=(), secrets={})

    assert GRANT_TYPE not in members(site.get("/.well-known/oauth-authorization-server"))["grant_types_supported"]


def test_the_metadata_names_the_grant_type() -> None:
    document = members(exchange_site().get("/.well-known/oauth-authorization-server"))

    assert GRANT_TYPE in document["grant_types_supported"]


def test_a_client_that_no_rule_names_is_not_authorized() -> None:
    site = exchange_site(rules=[OF_ITS_OWN])

    assert refused(exchange(site, "gateway", signed_in(site)["access_token"]), "unauthorized_client", "no rule")


def test_a_client_that_is_not_registered_for_the_grant_is_not_authorized() -> None:
    site = exchange_site()

    assert refused(exchange(site, "resource", signed_in(site)["access_token"]), "unauthorized_client", "not registered")


def test_a_public_client_exchanges_nothing_unless_that_is_allowed() -> None:
    """RFC 8693 section 2.1: authentication decides who may exchange a token that was stolen."""
    public = attrs.evolve(GATEWAY, token_endpoint_auth_method="none", grant_types=(GRANT_TYPE,))
    opened = attrs.evolve(BY_GATEWAY, allow=[ExchangeAllowance.PUBLIC_CLIENT])
    for rule, status in ((BY_GATEWAY, 400), (opened, 200)):
        site = exchange_site(rules=[rule], clients=(APP, public))
        token = signed_in(site)["access_token"]
        urn = "urn:ietf:params:oauth:token-type:access_token"
        body = f"client_id=gateway&grant_type={GRANT_TYPE}&subject_token={token}&subject_token_type={urn}"
        answer = site.post("/token", body.encode())
        assert answer.status == status


# Confused deputies: whose token, sent to whom.


def test_a_token_of_a_client_that_the_rule_does_not_name_is_refused() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, subject_client_ids=[])])

    assert refused(exchange(site, "gateway", signed_in(site)["access_token"]), "invalid_request", "not allowed")


def test_a_token_that_was_for_another_resource_is_refused() -> None:
    """A service that got hold of a token that was not sent to it can't go on with it."""
    site = exchange_site()

    assert refused(exchange(site, "back", signed_in(site)["access_token"]), "invalid_request", "not allowed")


def test_an_id_token_of_another_client_is_refused() -> None:
    rule = attrs.evolve(OF_ITS_OWN, client_ids=["gateway"])
    site = exchange_site(rules=[rule])

    assert refused(exchange(site, "gateway", signed_in(site)["id_token"], "id_token"), "invalid_request")


def test_an_id_token_of_a_client_that_the_rule_names_is_taken() -> None:
    rule = ExchangeRule(
        client_ids=["gateway"], subject_token_types=["id_token"], subject_client_ids=["app"], audience=[API]
    )
    site = exchange_site(rules=[rule])

    answer = exchanged(site, "gateway", signed_in(site)["id_token"], "id_token", scope="read")

    assert introspected(site, answer["access_token"])["sub"] == "alice"


def test_a_refresh_token_of_another_client_is_refused_whatever_the_policy_says() -> None:
    """RFC 6749 section 6."""
    site = exchange_site(
        rules=None, token_exchange=TokenExchange(decide=lambda request: AllowedExchange(audience=[API]))
    )

    response = exchange(site, "gateway", signed_in(site)["refresh_token"], "refresh_token")

    assert refused(response, "invalid_request", "another client's")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "jwt"])
def test_an_id_token_is_exchanged_as_nothing_else(kind: str) -> None:
    site = exchange_site()

    assert refused(exchange(site, "app", signed_in(site)["id_token"], kind), "invalid_request", "unknown")


def test_an_access_token_is_no_id_token() -> None:
    """RFC 8725 section 3.12: the same keys sign both."""
    site = exchange_site()
    signed = exchanged(site, "app", signed_in(site)["access_token"], requested_token_type="jwt")["access_token"]

    assert refused(exchange(site, "app", signed, "id_token"), "invalid_request", "not of its type")


def test_an_id_token_that_has_expired_is_refused() -> None:
    site = exchange_site()
    token = signed_in(site)["id_token"]
    site.clock.advance(300)

    assert refused(exchange(site, "app", token, "id_token"), "invalid_request", "expired")


def test_an_id_token_from_before_token_exchange_was_offered_is_refused() -> None:
    """It does not say which grant it was issued on, so nothing could end what it is exchanged for."""
    before = exchange_site(rules=[BY_GATEWAY])
    token = signed_in(before)["id_token"]
    assert "grant_id" not in claims_in(token)

    assert refused(exchange(exchange_site(), "app", token, "id_token"), "invalid_request", "not of its type")


def test_the_actor_token_of_another_client_is_refused() -> None:
    site = exchange_site()
    token = signed_in(site)["access_token"]

    response = exchange(site, "gateway", token, actor_token=own_token(site, "back"), actor_token_type="access_token")

    assert refused(response, "invalid_request", "another client's")


def test_subject_and_actor_can_not_be_swapped() -> None:
    """What a client's own token would be worth with a person's as its actor is nothing that anybody allowed."""
    site = exchange_site()
    token = signed_in(site)["access_token"]

    response = exchange(site, "gateway", own_token(site, "gateway"), actor_token=token, actor_token_type="access_token")

    assert refused(response, "invalid_request", "another client's")


def test_nobody_acts_for_themselves() -> None:
    site = exchange_site()
    token = signed_in(site)["access_token"]

    response = exchange(site, "app", token, actor_token=token, actor_token_type="access_token")

    assert refused(response, "invalid_request", "subject's own")


def test_an_actor_token_is_not_ignored_where_it_says_nothing() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, mode="impersonation")])
    token = signed_in(site)["access_token"]

    response = exchange(site, "gateway", token, actor_token=own_token(site, "gateway"), actor_token_type="access_token")

    assert refused(response, "invalid_request", "without an actor_token")


# Scope, audience, lifetime: nothing grows.


def test_scope_is_narrowed_by_request_rule_and_registration() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, scope="read write email")])
    token = signed_in(site, "openid read write")["access_token"]

    assert exchanged(site, "gateway", token)["scope"] == "read write"
    assert exchanged(site, "gateway", token, scope="read")["scope"] == "read"
    assert refused(exchange(site, "gateway", token, scope="email"), "invalid_scope")


def test_scope_that_a_rule_adds_by_name_is_there_though_the_subject_token_lacks_it() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, scope="read", extra_scope="audit")])

    assert exchanged(site, "gateway", signed_in(site)["access_token"])["scope"] == "read audit"


def test_where_nothing_of_the_scope_is_left_there_is_no_token() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, scope="audit")])

    assert refused(exchange(site, "gateway", signed_in(site)["access_token"]), "invalid_scope", "any part")


def test_offline_access_is_not_exchanged() -> None:
    site = exchange_site()
    token = signed_in(site, "openid read offline_access")["access_token"]

    assert exchanged(site, "app", token)["scope"] == "openid read"


def test_a_scope_is_told_apart_by_the_resource_that_the_token_is_for() -> None:
    """RFC 8707 section 2."""
    site = exchange_site(
        rules=[attrs.evolve(BY_GATEWAY, audience=[API, BACK_API])],
        resources=[Resource(API, scopes="read"), Resource(BACK_API, scopes="write", access_token_format="jwt")],
    )
    token = signed_in(site, "read write")["access_token"]

    assert exchanged(site, "gateway", token, resource=API + "/")["scope"] == "read"
    answer = exchanged(site, "gateway", token, audience=BACK_API)
    assert (answer["scope"], claims_in(answer["access_token"])["aud"]) == ("write", BACK_API)
    assert refused(exchange(site, "gateway", token), "invalid_target")


def test_a_resource_for_other_clients_is_none_for_an_exchange() -> None:
    site = exchange_site(resources=[Resource(API, client_ids=["app"])])

    assert refused(exchange(site, "gateway", signed_in(site)["access_token"]), "invalid_target", "other clients")


def test_without_an_audience_in_the_rule_the_token_is_for_no_more_than_the_subject_token() -> None:
    site = exchange_site(rules=[OF_ITS_OWN])
    token = signed_in(site)["access_token"]

    assert record_of(site, exchanged(site, "app", token)["access_token"]).audience == ("https://as.example",)
    assert refused(exchange(site, "app", token, audience=API), "invalid_target")


def test_it_expires_no_later_than_the_subject_token() -> None:
    site = exchange_site()
    token = signed_in(site)["access_token"]
    site.clock.advance(200)

    assert exchanged(site, "gateway", token)["expires_in"] == 100


def test_exchanging_again_and_again_prolongs_nothing() -> None:
    site = exchange_site()
    token = signed_in(site)["access_token"]
    for _ in range(5):
        site.clock.advance(50)
        token = exchanged(site, "gateway", token)["access_token"]
    site.clock.advance(50)

    assert refused(exchange(site, "gateway", token), "invalid_request", "expired")


def test_a_rule_may_shorten_the_lifetime_and_prolong_it_by_name_alone() -> None:
    longer = attrs.evolve(BY_GATEWAY, lifetime=600)
    for rule, seconds in (
        (attrs.evolve(BY_GATEWAY, lifetime=60), 60),
        (longer, 300),
        (attrs.evolve(longer, allow=[ExchangeAllowance.OUTLIVE_SUBJECT]), 600),
        (attrs.evolve(longer, lifetime=10_000, allow=[ExchangeAllowance.OUTLIVE_SUBJECT]), 3_600),
    ):
        site = exchange_site(rules=[rule])
        assert exchanged(site, "gateway", signed_in(site)["access_token"])["expires_in"] == seconds


def test_it_expires_no_later_than_the_actor_token() -> None:
    site = exchange_site()
    actor = own_token(site, "gateway")
    site.clock.advance(250)
    token = signed_in(site)["access_token"]

    answer = exchanged(site, "gateway", token, actor_token=actor, actor_token_type="access_token")

    assert answer["expires_in"] == 50


# Lineage: what ends the subject token's grant ends what was exchanged.

Ending = Callable[[Site, dict[str, Any]], object]


def revoke(site: Site, tokens: dict[str, Any]) -> object:
    """Revoke the app's refresh token, and with it its grant."""
    return site.handle(revocation("app", tokens["refresh_token"]))


ENDINGS: dict[str, Ending] = {
    "its grant is revoked": revoke,
    "the person withdraws": lambda site, _: site.drive(site.server.applications.withdraw("alice", "app"), site.world),
    "its client is disabled": lambda site, _: site.drive(site.server.clients.disable("app"), site.world),
    "its client is removed": lambda site, _: site.drive(site.server.clients.remove("app"), site.world),
    "who exchanged is disabled": lambda site, _: site.drive(site.server.clients.disable("gateway"), site.world),
    "the person is gone": lambda site, _: setattr(site, "world", attrs.evolve(site.world, claims=lambda asked: None)),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", ["access_token", "jwt"])
def test_an_exchanged_token_ends_when(ending: str, kind: str) -> None:
    site = exchange_site()
    tokens = signed_in(site)
    token = exchanged(site, "gateway", tokens["access_token"], requested_token_type=kind)["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))
    assert introspected(site, token)["active"] is True

    ENDINGS[ending](site, tokens)

    assert introspected(site, token) == {"active": False}
    answer = run(ResourceServer(site.server.tokens, audience=API).verify(request), site.world)
    assert isinstance(answer, Response) and answer.status == 401


@pytest.mark.parametrize("ending", [name for name in ENDINGS if name != "who exchanged is disabled"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "id_token"])
def test_nothing_is_exchanged_once(ending: str, kind: str) -> None:
    rules = [*RULES, attrs.evolve(OF_ITS_OWN, client_ids=["gateway"], subject_token_types=["access_token", "id_token"])]
    site = exchange_site(rules=[rule for rule in rules if rule is not BY_BACK])
    tokens = signed_in(site)

    ENDINGS[ending](site, tokens)

    assert exchange(site, "app", tokens[kind], kind).status in {400, 401}
    assert refused(exchange(site, "gateway", tokens[kind], kind), "invalid_request")


def test_a_client_that_took_the_name_of_the_exchanger_inherits_nothing() -> None:
    site = exchange_site()
    token = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]
    site.drive(site.server.clients.remove("gateway"), site.world)
    site.drive(site.server.clients.register(GATEWAY, Secret("gateway-secret")), site.world)

    assert introspected(site, token) == {"active": False}


def test_a_refresh_token_is_exchanged_and_stays_as_it_was() -> None:
    site = exchange_site()
    refresh = signed_in(site)["refresh_token"]

    for _ in range(2):
        assert exchange(site, "app", refresh, "refresh_token").status == 200

    assert ask(site, "app", grant_type="refresh_token", refresh_token=refresh).status == 200


def test_a_replaced_refresh_token_is_exchanged_for_nothing_and_ends_nothing() -> None:
    site = exchange_site()
    old = signed_in(site)["refresh_token"]
    fresh = members(ask(site, "app", grant_type="refresh_token", refresh_token=old))["refresh_token"]

    assert refused(exchange(site, "app", old, "refresh_token"), "invalid_request", "replaced")
    assert exchange(site, "app", fresh, "refresh_token").status == 200


def test_a_revoked_access_token_is_exchanged_for_nothing() -> None:
    site = exchange_site()
    token = signed_in(site)["access_token"]
    site.handle(revocation("app", token))

    assert refused(exchange(site, "gateway", token), "invalid_request", "unknown")


def test_who_exchanged_can_revoke_its_token_and_the_grant_stays() -> None:
    """RFC 7009 section 2.1."""
    site = exchange_site()
    tokens = signed_in(site)
    token = exchanged(site, "gateway", tokens["access_token"])["access_token"]
    site.handle(revocation("gateway", token))

    assert introspected(site, token) == {"active": False}
    assert introspected(site, tokens["access_token"])["active"] is True


def test_a_client_narrows_its_own_token() -> None:
    rule = ExchangeRule(client_ids=["gateway"], audience=[BACK_API])
    site = exchange_site(rules=[rule])

    answer = exchanged(site, "gateway", own_token(site, "gateway"), scope="read")

    record = record_of(site, answer["access_token"])
    assert (record.subject, record.grant, record.audience, record.scope.text) == (None, None, (BACK_API,), "read")
    assert (record.actors, introspected(site, answer["access_token"])["active"]) == ((), True)


def test_another_clients_own_token_is_exchanged_by_nobody() -> None:
    site = exchange_site()

    assert refused(exchange(site, "gateway", own_token(site, "app")), "invalid_request", "own token")


def test_userinfo_is_open_to_an_exchanged_token_that_is_for_this_server() -> None:
    rule = attrs.evolve(BY_GATEWAY, audience=["https://as.example"])
    site = exchange_site(rules=[rule])
    tokens = signed_in(site)
    token = exchanged(site, "gateway", tokens["access_token"])["access_token"]
    request = Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))

    assert members(site.handle(request))["email"] == "alice@wonderland.example"
    revoke(site, tokens)
    assert site.handle(request).status == 401


def test_each_client_knows_the_person_by_its_own_subject() -> None:
    """OIDC Core section 8.1: an exchange does not reveal to a client the subject of another sector."""
    pairwise = attrs.evolve(GATEWAY, redirect_uris=["https://gateway.example/cb"], subject_type="pairwise")
    site = exchange_site(clients=(APP, pairwise))

    token = exchanged(site, "gateway", signed_in(site)["access_token"], requested_token_type="jwt")["access_token"]

    context = site.server.context()
    assert claims_in(token)["sub"] == subject_for(pairwise, "alice", context) != "alice"


# may_act: the subject token says who may act.


def told(may_act: object = None, *, require: bool = False, **changes: Any) -> AccessToken | OAuthError:
    """Return what the gateway gets for a token that says that, by value; an error if it is refused."""
    rule = attrs.evolve(BY_GATEWAY, require_may_act=require)
    site = exchange_site(rules=[attrs.evolve(rule, **changes)])
    claims = NOBODY if may_act is None else {"may_act": may_act}
    return decided(site, SUBJECT, claims=claims)


SUBJECT = AccessToken(
    key="a" * 64,  # type: ignore[arg-type]  # a digest
    client_id="app",
    subject="alice",
    grant="g" * 64,  # type: ignore[arg-type]  # a digest
    scope=Scope(("read", "write")),
    audience=("https://as.example",),
    issued_at=1_800_000_000,
    expires_at=1_800_000_100,
)
GRANT = Grant(
    key="g" * 64,  # type: ignore[arg-type]  # a digest
    client_id="app",
    subject="alice",
    scope=Scope(("read", "write")),
    auth_time=None,
    granted_at=1_800_000_000,
    expires_at=1_800_001_000,
)


def decided(
    site: Site,
    subject: AccessToken,
    *,
    app: Client = APP,
    claims: Any = NOBODY,
    proof: ProofOfPossession | None = None,
    scope: Scope | None = None,
) -> AccessToken | OAuthError:
    """Return the record that a decision about facts comes to, or the error that it raises."""
    presented = PresentedToken(Secret("s"), "access_token", "subject")
    found = FoundToken(presented, subject, IssuedTo(app, GRANT, KNOWN), claims)
    exchange_ = Exchange(presented, None, "access_token", (), scope)
    try:
        decision = decide(exchange_, asking(GATEWAY, proof), ExchangeFacts(found), site.server.context())
    except OAuthError as error:
        return error
    assert isinstance(decision.value, Tokens)
    return decision.value.access.record


@pytest.mark.parametrize(
    "may_act",
    [
        {"sub": "gateway@clients"},
        {"sub": "gateway@clients", "iss": "https://as.example"},
        {"client_id": "gateway"},
    ],
)
def test_whom_the_subject_token_lets_act_may(may_act: dict[str, str]) -> None:
    """RFC 8693 section 4.4."""
    record = told(may_act, require=True)

    assert isinstance(record, AccessToken) and record.actors == (GATEWAY_ACTS,)


@pytest.mark.parametrize(
    "may_act",
    [
        {"sub": "back@clients"},
        {"sub": "gateway"},
        {"sub": "gateway@clients", "iss": "https://other.example"},
        {"sub": "gateway@clients", "client_id": "back"},
        {"client_id": "back"},
        {},
        "gateway",
        ["gateway"],
    ],
)
@pytest.mark.parametrize("mode", ["delegation", "impersonation"])
def test_whom_the_subject_token_does_not_let_act_may_not(may_act: object, mode: str) -> None:
    """RFC 8693 section 4.4."""
    assert isinstance(told(may_act, mode=mode), InvalidRequest)


def test_a_rule_may_demand_that_the_subject_token_lets_somebody_act() -> None:
    assert isinstance(told(require=True), InvalidRequest)
    assert isinstance(told(require=False), AccessToken)


# Keys, chains.


def test_a_subject_token_that_is_bound_to_a_key_takes_a_proof_of_it() -> None:
    """RFC 9449 section 7.2: an exchange would make a bearer token of it."""
    bound = attrs.evolve(SUBJECT, confirmation=KEY)
    site = exchange_site(rules=[BY_GATEWAY])
    other = ProofOfPossession(Confirmation(jkt="another"))

    assert isinstance(decided(site, bound), InvalidRequest)
    assert isinstance(decided(site, bound, proof=other), InvalidRequest)
    record = decided(site, bound, proof=ProofOfPossession(KEY))
    assert isinstance(record, AccessToken) and record.confirmation == KEY


def test_a_gateway_may_be_allowed_to_exchange_what_is_bound_to_another_key() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, allow=[ExchangeAllowance.BOUND_SUBJECT])])

    record = decided(site, attrs.evolve(SUBJECT, confirmation=KEY))

    assert isinstance(record, AccessToken) and record.confirmation is None


def test_a_chain_of_actors_has_an_end() -> None:
    site = exchange_site(rules=[BY_GATEWAY])
    others = tuple(Actor(f"actor{number}") for number in range(MAX_ACTORS))

    longest = decided(site, attrs.evolve(SUBJECT, actors=others[1:]))
    too_long = decided(site, attrs.evolve(SUBJECT, actors=others))

    assert isinstance(longest, AccessToken) and len(longest.actors) == MAX_ACTORS
    assert isinstance(too_long, InvalidRequest)


def test_who_acts_already_is_not_named_once_more() -> None:
    site = exchange_site()
    token = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]

    assert introspected(site, exchanged(site, "gateway", token)["access_token"])["act"] == {"sub": "gateway@clients"}


def test_two_clients_that_exchange_each_others_tokens_come_to_an_end() -> None:
    back = ExchangeRule(client_ids=["back"], subject_client_ids=["gateway"], audience=[API])
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, subject_client_ids=["app", "back"]), back])
    token = signed_in(site)["access_token"]
    statuses = []
    for number in range(MAX_ACTORS + 1):
        response = exchange(site, ("gateway", "back")[number % 2], token)
        statuses.append(response.status)
        token = members(response).get("access_token", token)

    assert statuses == [200] * MAX_ACTORS + [400]


WORDS = st.lists(st.sampled_from(["openid", "email", "read", "write", "audit", "admin"]), unique=True, max_size=6)
PROPERTY_SITE = exchange_site(rules=[BY_GATEWAY])


@given(WORDS, st.none() | WORDS.filter(bool), st.integers(1, 10_000))
def test_neither_scope_nor_lifetime_ever_grows(had: list[str], asked: list[str] | None, left: int) -> None:
    context = PROPERTY_SITE.server.context()
    subject = attrs.evolve(SUBJECT, scope=Scope(tuple(had)), expires_at=context.now + left)
    app = attrs.evolve(APP, scope="openid email read write audit admin")
    scope = None if asked is None else Scope(tuple(asked))

    record = decided(PROPERTY_SITE, subject, app=app, scope=scope)

    if isinstance(record, OAuthError):
        assert record.code == "invalid_scope"
        return
    assert subject.scope.covers(record.scope) and GATEWAY.scope.covers(record.scope)
    assert scope is None or scope.covers(record.scope)
    assert record.expires_at <= min(subject.expires_at, GRANT.expires_at)


def test_a_decision_requires_all_that_it_relies_on() -> None:
    site = exchange_site()
    presented = PresentedToken(Secret("s"), "access_token", "subject")
    found = FoundToken(presented, SUBJECT, IssuedTo(APP, GRANT, KNOWN), NOBODY)

    decision = decide(
        Exchange(presented, None, "access_token", (), None),
        asking(GATEWAY),
        ExchangeFacts(found),
        site.server.context(),
    )

    required = [change.record for change in decision.changes if isinstance(change, Require)]
    assert required == [GATEWAY, SUBJECT, GRANT, APP]


# The policy of a host.


def test_a_function_of_the_host_sees_the_verified_request_and_says_how_far_it_may_go() -> None:
    seen: list[ExchangeRequest] = []

    def policy(request: ExchangeRequest) -> AllowedExchange | None:
        seen.append(request)
        return AllowedExchange(audience=["urn:back"], scope="read", lifetime=10) if request.scope else None

    site = exchange_site(rules=None, token_exchange=TokenExchange(decide=policy))
    token = signed_in(site)["access_token"]

    answer = exchanged(site, "gateway", token, scope="read", audience=["urn:back"])

    assert (answer["scope"], answer["expires_in"]) == ("read", 10)
    assert record_of(site, answer["access_token"]).audience == ("urn:back",)
    assert (seen[0].client.client_id, seen[0].targets) == ("gateway", ("urn:back",))
    assert (seen[0].subject.client_id, seen[0].subject.subject) == ("app", "alice")
    assert refused(exchange(site, "gateway", token), "invalid_request", "host's policy")


@pytest.mark.parametrize(
    ("client_id", "kind", "finds"),
    [("app", "access_token", 3), ("app", "refresh_token", 3), ("gateway", "access_token", 4)],
)
def test_an_exchange_costs_few_finds_and_one_commit(client_id: str, kind: str, finds: int) -> None:
    """Client, token and grant; and the client of another's token."""
    site = exchange_site(openid=OpenID())
    token = signed_in(site)[kind]
    counted = Counted(site)

    assert exchange(site, client_id, token, kind).status == 200
    assert (counted.finds, counted.commits) == (finds, 1)


def test_userinfo_ends_for_an_exchanged_token_as_soon_as_its_user_may_not_use_the_first_client() -> None:
    groups = ["staff"]
    app = attrs.evolve(APP, require=("group:staff",))
    rule = attrs.evolve(BY_GATEWAY, audience=[ISSUER])
    site = exchange_site(rules=[rule], clients=(app, GATEWAY, BACK, RESOURCE))
    site.world = attrs.evolve(site.world, claims=lambda _: {"email": "alice@wonderland.example", "groups": groups})
    token = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]
    userinfo = Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))
    assert site.handle(userinfo).status == 200

    groups.clear()

    assert site.handle(userinfo).status == 401
    assert introspected(site, token) == {"active": False}


def test_claims_that_the_user_allowed_the_first_client_by_name_are_not_the_next_one_s() -> None:
    rule = attrs.evolve(BY_GATEWAY, audience=[ISSUER], scope=Scope(("openid",)))
    site = exchange_site(rules=[rule])
    wanted = json.dumps({"userinfo": {"email": None}})
    answer = site.approve(
        site.authorize(
            None, client_id="app", redirect_uri=None, scope="openid", nonce="n", prompt="consent", claims=wanted
        )
    )
    code = params(answer)["code"]
    first = members(ask(site, "app", grant_type="authorization_code", code=code, code_verifier=VERIFIER))
    token = exchanged(site, "gateway", first["access_token"], scope="openid")["access_token"]

    known = members(site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))))

    assert set(known) == {"sub"}


def test_a_resource_that_was_removed_is_not_reached_by_exchanging_an_older_refresh_token() -> None:
    kept, removed = Resource("https://a.example", scopes="read"), Resource("https://b.example", scopes="write")
    rule = attrs.evolve(OF_ITS_OWN, audience=())
    before = exchange_site(rules=[rule], resources=[kept, removed])
    target = before.authorize_target(
        client_id="app", redirect_uri=None, scope="openid read write offline_access", nonce="n", prompt="consent"
    )
    named = f"{target}&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example"
    code = params(before.approve(before.get(named)))["code"]
    tokens = members(ask(before, "app", grant_type="authorization_code", code=code, code_verifier=VERIFIER))
    after = exchange_site(rules=[rule], resources=[kept])
    after.world = attrs.evolve(after.world, storage=before.world.storage)

    found = introspected(after, exchanged(after, "app", tokens["refresh_token"], "refresh_token")["access_token"])
    named_again = exchange(after, "app", tokens["refresh_token"], "refresh_token", resource="https://b.example")

    assert "https://b.example" not in found["aud"]
    assert "write" not in found["scope"]
    assert refused(named_again, "invalid_target")
