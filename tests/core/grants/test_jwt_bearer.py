"""The JWT bearer grant: assertions for tokens, of users and of workloads (RFC 7523 section 2.1)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import AssertedSubject, ConfigurationError, Request, Response, Scope, TrustedIssuer
from oauthcore.assertions.trusted_issuer import as_trusted_issuers
from oauthcore.assertions.verified import verify_assertion
from oauthcore.errors import InvalidGrant, InvalidScope
from oauthcore.flow.outcome import Insert, Require
from oauthcore.grants.jwt_bearer import GRANT_TYPE, AssertionFacts, check_presenter, decide
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken, SpentAssertion
from tests.core.assertions.issuing import GIVEN, IDP, KEY, NOW, OTHER_KEY, IssuerServer, assertion
from tests.core.assertions.trusting import (
    API,
    APP,
    CLUSTER,
    ISSUERS,
    MAIL,
    RUN,
    People,
    present,
    service_account,
    trusting_site,
    workflow,
)
from tests.core.site import FORM, ISSUER, Counted, Drive, Site, asking, basic, form, make_site, members, refused

SITE = trusting_site()


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site that trusts issuers, under each driver."""
    return trusting_site(drive)


def test_assertion_is_exchanged_for_an_access_token_of_its_user(site: Site) -> None:
    answer = members(present(site, assertion(), scope="read"))

    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    found = site.introspect(answer["access_token"], "resource")
    assert (found["active"], found["sub"], found["client_id"], found["scope"]) == (True, "alice", "app", "read")


def test_who_acts_by_a_plain_assertion_is_in_the_token(site: Site) -> None:
    """RFC 8693 section 4.1: a token without it would say that the user acts."""
    answer = members(present(site, assertion(act={"sub": "robot"})))

    assert site.introspect(answer["access_token"], "resource")["act"] == {"sub": "robot", "iss": IDP}


def test_no_other_issuer_says_that_a_user_of_this_server_acts(site: Site) -> None:
    response = present(site, assertion(act={"sub": "bob", "iss": ISSUER}))

    assert refused(response, "invalid_grant", "this server's users")


@pytest.mark.parametrize(
    "iss",
    [
        *("https://AS.example", "https://as.example/", "https://as.example:443", "https://as.example./"),
        *("https://as.example/?", "https://%61s.example", "https:/as.example", "http://as.example", "as.example"),
    ],
)
def test_no_spelling_of_this_server_s_issuer_says_that_a_user_of_it_acts(site: Site, iss: str) -> None:
    response = present(site, assertion(act={"sub": "bob", "iss": iss}))

    assert refused(response, "invalid_grant", "this server's users")


def test_an_actor_of_a_third_issuer_is_taken(site: Site) -> None:
    answer = members(present(site, assertion(act={"sub": "bob", "iss": "https://third.example/tenant"})))

    assert site.introspect(answer["access_token"], "resource")["act"]["iss"] == "https://third.example/tenant"


def test_there_is_no_refresh_token_even_for_a_client_that_may_have_one(site: Site) -> None:
    """RFC 7521 section 4.1."""
    assert "refresh_token" in APP.grant_types
    assert "refresh_token" not in members(present(site, assertion()))


def test_grant_of_an_assertion_ends_with_its_token(site: Site) -> None:
    answer = members(present(site, assertion()))
    found = site.introspect(answer["access_token"], "resource")
    assert found["exp"] == NOW + 300

    site.clock.advance(300)

    assert not site.is_active(answer["access_token"])


def test_assertion_is_used_once(site: Site) -> None:
    text = assertion()
    assert present(site, text).status == 200

    again = present(site, text)

    assert again.status == 400
    assert refused(again, "invalid_grant", "used before")


def test_assertion_can_not_be_used_again_when_its_use_is_forgotten(site: Site) -> None:
    text = assertion()
    _ = present(site, text)
    record = next(r for r in site.world.storage._records.values() if isinstance(r, SpentAssertion))  # type: ignore[attr-defined]
    site.clock.now = record.expires_at

    assert refused(present(site, text), "invalid_grant", "expired")


def test_refused_request_leaves_the_assertion_unused(site: Site) -> None:
    text = assertion()
    assert refused(present(site, text, scope="admin"), "invalid_scope")

    assert present(site, text, scope="read").status == 200


def test_what_is_missing_is_named(site: Site) -> None:
    assert refused(site.post("/token", form(grant_type=GRANT_TYPE), basic("app", "app-secret")), "invalid_request")
    assert refused(site.post("/token", form(grant_type=GRANT_TYPE)), "invalid_request")


def test_wrong_secret_is_no_reason_to_look_at_the_assertion(site: Site) -> None:
    request = Request(
        "POST", "/token", (FORM, basic("app", "wrong")), form(grant_type=GRANT_TYPE, assertion=assertion())
    )

    response = site.handle(request)

    assert (response.status, refused(response, "invalid_client")) == (401, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "nobody"}, "no subject rule"),
        ({"sub": "a1 "}, "no subject rule"),
        ({"sub": "A1"}, "no subject rule"),
        ({"sub": "x@clients", "connection": "staff"}, "can't be a user's"),
        ({"sub": "a\x00b", "connection": "staff"}, "can't be a user's"),
        ({"sub": "a" * 300, "connection": "staff"}, "can't be a user's"),
        ({"sub": "carol", "connection": "staff"}, "disabled or unknown"),
        ({"sub": "kiosk"}, "another client"),
        ({"cnf": {"jkt": "k"}}, "cnf"),
        ({"authorization_details": []}, "authorization_details"),
        ({"iss": "https://evil.example"}, "not trusted"),
        ({"key": OTHER_KEY}, "none of the keys"),
        ({"typ": "at+jwt"}, "typ"),
    ],
)
def test_assertion_that_gives_nothing_is_refused(site: Site, changes: dict[str, Any], reason: str) -> None:
    """RFC 7521 section 4.1.1."""
    response = present(site, assertion(**changes))

    assert response.status == 400
    assert refused(response, "invalid_grant", reason)


def test_issuer_may_name_its_users_as_they_are_called_here_where_that_is_said(site: Site) -> None:
    answer = members(present(site, assertion(sub="bob", connection="staff")))

    assert site.introspect(answer["access_token"], "resource")["sub"] == "bob"


def test_user_who_is_disabled_gets_nothing_and_loses_what_they_have(drive: Drive) -> None:
    people = People("alice")
    site = trusting_site(drive, people)
    answer = members(present(site, assertion()))
    people.subjects.clear()

    assert refused(present(site, assertion(jti="2")), "invalid_grant", "disabled")
    assert not site.is_active(answer["access_token"])


def test_issuer_that_is_not_for_every_client_says_for_which(drive: Drive) -> None:
    site = trusting_site(drive, trusted_issuers=[attrs.evolve(ISSUERS[0], client_ids=["browserless"])])

    assert refused(present(site, assertion()), "invalid_grant", "may not present")


def test_client_needs_to_be_registered_for_the_grant_type(site: Site) -> None:
    assert refused(present(site, assertion(), "confidential"), "unauthorized_client")


def test_public_client_may_present_an_assertion(site: Site) -> None:
    """RFC 7523 section 3.1: client authentication is optional."""
    answer = members(present(site, assertion(), "browserless", scope="read"))

    assert site.introspect(answer["access_token"], "resource")["client_id"] == "browserless"


def test_client_that_does_not_say_who_it_is_needs_an_assertion_that_does(site: Site) -> None:
    response = present(site, assertion(), None)

    assert (response.status, refused(response, "invalid_client")) == (401, True)
    assert "authenticate" in members(response)["error_description"]


def test_assertion_may_identify_user_and_client(site: Site) -> None:
    answer = members(present(site, assertion(sub="kiosk"), None, scope="read"))

    found = site.introspect(answer["access_token"], "resource")
    assert (found["sub"], found["client_id"]) == ("kiosk", "browserless")


@pytest.mark.parametrize(
    ("scope", "granted"),
    [(None, "read"), ("read", "read"), ("write", None), ("read write", None), ("offline_access", None)],
)
def test_scope_is_bounded_by_the_rule(site: Site, scope: str | None, granted: str | None) -> None:
    values = {} if scope is None else {"scope": scope}

    response = present(site, assertion(sub="b1"), **values)

    if granted is None:
        assert refused(response, "invalid_scope")
    else:
        assert members(response)["scope"] == granted


def test_what_only_a_login_gives_is_left_out(site: Site) -> None:
    """There is no ID token and no refresh token, so nobody is told that they may have one."""
    answer = members(present(site, assertion(), "browserless", scope="openid read offline_access"))

    assert answer["scope"] == "read"
    assert members(present(site, assertion(jti="2"), "browserless"))["scope"] == "read"


def test_token_is_for_the_resource_that_is_named(site: Site) -> None:
    """RFC 8707 section 2.2."""
    answer = members(present(site, assertion(), resource=API.uri))

    found = site.introspect(answer["access_token"], "resource")
    assert (found["aud"], found["scope"]) == ([API.uri], "read write")
    unknown = present(site, assertion(jti="2"), resource="https://unknown.example")
    assert refused(unknown, "invalid_target")


def test_claims_of_a_plain_assertion_choose_no_resource_and_no_scope(site: Site) -> None:
    answer = members(present(site, assertion(resource=MAIL.uri, scope="admin"), scope="read"))

    assert answer["scope"] == "read"
    assert site.introspect(answer["access_token"], "resource")["aud"] == ["https://as.example"]


def test_h5_workload_gets_its_own_token_by_its_assertion_alone(site: Site) -> None:
    """SEP-1933: the assertion is the identity."""
    answer = members(present(site, workflow(), None))

    found = site.introspect(answer["access_token"], "resource")
    assert (found["client_id"], found["scope"], "sub" in found) == ("deployer", "write", False)
    assert "refresh_token" not in answer


def test_h5_workload_may_say_which_client_it_is(site: Site) -> None:
    assert present(site, workflow(), "deployer").status == 200
    assert refused(present(site, workflow(jti="2"), "browserless"), "invalid_grant", "another client")
    assert refused(present(site, workflow(jti="3"), "app"), "invalid_grant", "another client")


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "acme/api-fork"},
        {"repository": "evil/api"},
        {"ref": "refs/heads/feature"},
        {"ref": "refs/pull/1/merge"},
        {"environment": None},
        {"environment": "staging"},
        {"repository": ["evil/api"]},
        {"aud": "https://other.example"},
    ],
)
def test_h5_workflow_of_another_repository_branch_or_environment_is_nobody(site: Site, changes: dict[str, Any]) -> None:
    assert refused(present(site, workflow(**changes), None), "invalid_grant")


def test_h5_workflow_is_not_what_another_issuers_key_says(site: Site) -> None:
    assert refused(present(site, assertion(KEY, **RUN), None), "invalid_grant", "none of the keys")


def test_h5_token_of_a_service_account_may_be_used_as_often_as_it_is_read(site: Site) -> None:
    text = service_account()

    for _ in range(3):
        assert present(site, text, None).status == 200
    assert refused(present(site, service_account(sub="system:serviceaccount:dev:api"), None), "invalid_grant")
    assert refused(
        present(site, service_account(exp=NOW + 365 * 86_400), None), "invalid_grant", "too far in the future"
    )
    assert refused(present(site, service_account(aud=["https://as.example", "vault"]), None), "invalid_grant")


def test_h5_workload_whose_client_is_disabled_gets_nothing_and_its_tokens_end(site: Site) -> None:
    token = members(present(site, service_account(), None))["access_token"]
    site.drive(site.server.clients.disable("service"), site.world)

    response = present(site, service_account(), None)

    assert (response.status, refused(response, "invalid_client")) == (401, True)
    assert not site.is_active(token)


def test_h5_workload_whose_client_is_not_registered_is_nobody(drive: Drive) -> None:
    site = trusting_site(drive, clients=[APP])

    assert refused(present(site, workflow(), None), "invalid_client")


def test_grant_is_not_offered_without_a_trusted_issuer(drive: Drive) -> None:
    site = make_site(drive)

    response = site.token(grant_type=GRANT_TYPE, assertion=assertion())

    assert refused(response, "unsupported_grant_type")
    metadata = members(site.get("/.well-known/oauth-authorization-server"))
    assert GRANT_TYPE not in metadata["grant_types_supported"]
    assert "authorization_grant_profiles_supported" not in metadata


def test_issuer_that_is_trusted_for_exchange_alone_offers_no_jwt_bearer() -> None:
    site = make_site(trusted_issuers=[TrustedIssuer(issuer=IDP, keys=GIVEN, uses=["token-exchange"])])

    assert GRANT_TYPE not in members(site.get("/.well-known/oauth-authorization-server"))["grant_types_supported"]


def test_metadata_names_the_grant(site: Site) -> None:
    metadata = members(site.get("/.well-known/oauth-authorization-server"))

    assert GRANT_TYPE in metadata["grant_types_supported"]


def test_server_refuses_what_is_no_list_of_issuers() -> None:
    with pytest.raises(ConfigurationError, match="trusted_issuers"):
        make_site(trusted_issuers=ISSUERS[0])


def test_subjects_are_found_by_a_function_of_the_host(drive: Drive) -> None:
    asked: list[object] = []

    def find(claims: Any) -> AssertedSubject | None:
        asked.append(claims["sub"])
        return AssertedSubject("alice") if claims["sub"] == "employee 1" else None

    site = trusting_site(drive, trusted_issuers=[TrustedIssuer(issuer=IDP, keys=GIVEN, subjects=find)])

    assert present(site, assertion(sub="employee 1")).status == 200
    assert refused(present(site, assertion(sub="employee 2", jti="2")), "invalid_grant", "no subject rule")
    assert refused(present(site, assertion(OTHER_KEY, sub="employee 3")), "invalid_grant")
    assert "employee 3" not in asked


def test_key_that_can_not_be_fetched_is_a_reason_to_try_again(drive: Drive) -> None:
    site = trusting_site(drive, trusted_issuers=[attrs.evolve(ISSUERS[0], keys=None)])
    server = IssuerServer()
    answers, server.answers = server.answers, {}
    site.world = attrs.evolve(site.world, fetch=server)
    text = assertion()

    response = present(site, text)

    assert (response.status, refused(response, "temporarily_unavailable")) == (503, True)
    assert response.header("retry-after") is not None
    server.answers = answers
    site.clock.advance(60)
    assert present(site, text).status == 200


@pytest.mark.parametrize("client_id", ["app", None])
def test_request_costs_at_most_three_finds_and_one_commit(client_id: str | None) -> None:
    site = trusting_site()
    counted = Counted(site)

    response = present(site, assertion() if client_id else workflow(), client_id)

    assert response.status == 200
    assert (counted.finds, counted.commits) == (2, 1)


def test_stranger_who_sends_nonsense_costs_no_look_at_the_storage() -> None:
    site = trusting_site()
    counted = Counted(site)

    assert refused(present(site, workflow(repository="evil/api"), None), "invalid_grant")
    assert refused(present(site, "x.y.z", None), "invalid_grant")

    assert (counted.finds, counted.commits) == (0, 0)


def facts(text: str, site: Site, subject: AssertedSubject, person: Any = None) -> AssertionFacts:
    """Return what a decision is made upon."""
    verified = verify_assertion(text, as_trusted_issuers(ISSUERS), "jwt-bearer", site.server.context())
    return AssertionFacts(verified, subject, None, person)


def test_decision_for_a_user_relies_on_the_client_and_uses_the_assertion_up() -> None:
    site = trusting_site()

    decision = decide(
        asking(APP, scope="read"), facts(assertion(), site, AssertedSubject("alice"), {}), site.server.context()
    )

    require, *inserts = decision.changes
    assert require == Require(APP)
    records = [insert.record for insert in inserts if isinstance(insert, Insert)]
    spent, grant, token = records
    assert isinstance(spent, SpentAssertion) and isinstance(grant, Grant) and isinstance(token, AccessToken)
    assert (token.grant, token.subject, grant.auth_time, grant.refresh_token) == (grant.key, "alice", None, None)
    assert [(event.name, event.subject) for event in decision.events] == [("token_issued", "alice")]


def test_decision_for_a_workload_has_no_grant() -> None:
    site = trusting_site()
    found = facts(service_account(), site, AssertedSubject(None, "app"))

    decision = decide(asking(APP, scope="read"), found, site.server.context())

    assert [type(change.record) for change in decision.changes if isinstance(change, Insert)] == [AccessToken]


def test_user_without_a_person_is_refused_by_the_decision() -> None:
    site = trusting_site()

    with pytest.raises(InvalidGrant, match="disabled"):
        decide(asking(APP), facts(assertion(), site, AssertedSubject("alice")), site.server.context())


@given(client_id=st.sampled_from(["app", "other", ""]), named=st.sampled_from([None, "app", "other"]))
def test_nobody_presents_what_identifies_somebody_else(client_id: str, named: str | None) -> None:
    found = attrs.evolve(VERIFIED, subject=AssertedSubject("alice", named))
    client = attrs.evolve(APP, client_id=client_id)

    if named in {None, client_id}:
        check_presenter(client, found)
    else:
        with pytest.raises(InvalidGrant):
            check_presenter(client, found)


VERIFIED = facts(service_account(), SITE, AssertedSubject(None, "app"))
SCOPES = st.lists(st.sampled_from(["read", "write", "email", "openid", "offline_access", "admin"]), max_size=4)


@given(asked=SCOPES, bound=st.none() | SCOPES, registered=SCOPES)
def test_scope_never_grows(asked: list[str], bound: list[str] | None, registered: list[str]) -> None:
    """A token has nothing that is not registered, not within the rule, or not asked for."""
    client = attrs.evolve(APP, scope=registered)
    rule = None if bound is None else Scope(tuple(bound))
    found = attrs.evolve(VERIFIED, subject=AssertedSubject(None, "app", rule))
    request = asking(client, scope=" ".join(asked)) if asked else asking(client)
    try:
        decision = decide(request, found, SITE.server.context())
    except InvalidScope:
        return
    tokens = next(
        change.record
        for change in decision.changes
        if isinstance(change, Insert) and isinstance(change.record, AccessToken)
    )
    granted = set(tokens.scope)
    assert granted <= set(registered) - {"openid", "offline_access"}
    assert bound is None or granted <= set(bound)
    assert not asked or granted <= set(asked)


def test_new_key_of_an_issuer_is_found_by_the_request_that_needs_it(drive: Drive) -> None:
    site = trusting_site(drive, trusted_issuers=[attrs.evolve(ISSUERS[0], keys=None)])
    server = IssuerServer(KEY)
    site.world = attrs.evolve(site.world, fetch=server)
    assert present(site, assertion()).status == 200
    server.publish(OTHER_KEY)
    site.clock.advance(61)

    assert present(site, assertion(OTHER_KEY, now=site.now, jti="2")).status == 200
    # The key that was withdrawn is gone with the set that had it.
    assert refused(present(site, assertion(KEY, now=site.now, jti="3")), "invalid_grant")


def test_answer_to_an_unknown_cluster_is_the_same_as_to_a_wrong_signature(site: Site) -> None:
    one = present(site, service_account(iss="https://unknown.example"), None)
    other = present(site, assertion(KEY, iss=CLUSTER), None)

    assert isinstance(one, Response)
    assert (one.status, one.body) == (other.status, other.body)
