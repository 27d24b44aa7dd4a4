"""Scopes that imply others: one hierarchy, at the authorization server and at a resource."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Access, ConfigurationError, Policy, Request, Resource, ResourceServer, Scope, ScopeHierarchy
from oauthcore.scope import NO_HIERARCHY
from tests.core.site import CONFIDENTIAL, RESOURCE, Site, handle_of, location, make_site, members, params, refused

IMPLIES = {"admin": ["files", "mail"], "files": ["files:read"]}
TOKENS = st.sampled_from(["admin", "files", "files:read", "mail", "other"])
SCOPES = st.lists(TOKENS, max_size=4).map(lambda tokens: Scope(tuple(tokens)))
HIERARCHIES = st.dictionaries(TOKENS, st.lists(TOKENS, max_size=3), max_size=4).map(ScopeHierarchy)
CLIENT = attrs.evolve(CONFIDENTIAL, scope="files mail", default_scope="files:read")


@pytest.fixture
def site() -> Site:
    return site_for("files mail")


def site_for(scope: str) -> Site:
    """Return a site whose client is registered for that."""
    client = attrs.evolve(CLIENT, scope=scope, default_scope=None)
    return make_site(policy=Policy(implies=IMPLIES), clients=(client, RESOURCE))


def test_what_is_implied_implies_in_its_turn() -> None:
    assert ScopeHierarchy(IMPLIES)(Scope(("admin",))) == Scope(("admin", "files", "mail", "files:read"))


@given(HIERARCHIES, SCOPES)
def test_widening_twice_is_widening_once(implies: ScopeHierarchy, scope: Scope) -> None:
    assert implies(implies(scope)) == implies(scope)
    assert implies.covers(scope, implies(scope))


@given(HIERARCHIES, SCOPES, SCOPES)
def test_what_is_left_of_a_scope_is_within_both_and_nothing_is_lost(
    implies: ScopeHierarchy, scope: Scope, allowed: Scope
) -> None:
    left = implies.within(scope, allowed)

    assert implies.covers(scope, left)
    assert implies.covers(allowed, left)
    assert implies(left).covers(implies(scope).within(implies(allowed)))


@given(HIERARCHIES, SCOPES, SCOPES)
def test_what_was_refused_is_not_allowed_by_something_that_implies_it(
    implies: ScopeHierarchy, scope: Scope, refused: Scope
) -> None:
    assert not implies(implies.without(scope, refused)).shares(refused)


@given(SCOPES, SCOPES)
def test_without_a_hierarchy_scopes_are_sets(scope: Scope, other: Scope) -> None:
    assert NO_HIERARCHY(scope) is scope
    assert NO_HIERARCHY.covers(scope, other) == scope.covers(other)
    assert NO_HIERARCHY.within(scope, other) == scope.within(other)
    assert NO_HIERARCHY.without(scope, other) == scope.without(other)


def test_a_hierarchy_of_what_is_no_scope_is_not_made() -> None:
    for table in ({"files": ['"']}, {'"': ["files"]}):
        with pytest.raises(ConfigurationError, match="implies"):
            ScopeHierarchy(table)


def test_a_client_may_ask_for_what_its_registration_implies(site: Site) -> None:
    assert members(site.token(grant_type="client_credentials", scope="files:read"))["scope"] == "files:read"
    assert refused(site.token(grant_type="client_credentials", scope="admin"), "invalid_scope")


def test_a_default_scope_may_be_what_the_scope_implies() -> None:
    make_site(policy=Policy(implies=IMPLIES), clients=(CLIENT,))

    with pytest.raises(ConfigurationError, match="default_scope"):
        make_site(clients=(CLIENT,))


def test_a_refresh_may_ask_for_what_the_grant_implies_and_gets_no_more(site: Site) -> None:
    first = site.tokens(scope="files")

    second = members(site.refresh(first["refresh_token"], scope="files:read"))

    assert (first["scope"], second["scope"]) == ("files", "files:read")
    assert refused(site.refresh(second["refresh_token"], scope="mail"), "invalid_scope")


def test_who_has_allowed_the_whole_is_not_asked_for_a_part(site: Site) -> None:
    site.code(scope="files")

    assert "code" in params(site.authorize(site.alice, scope="files:read", prompt="none"))
    assert params(site.authorize(site.alice, scope="files mail", prompt="none"))["error"] == "consent_required"


def test_who_has_allowed_a_part_is_asked_for_the_whole(site: Site) -> None:
    site.code(scope="files:read")

    assert params(site.authorize(site.alice, scope="files", prompt="none"))["error"] == "consent_required"


def test_a_person_may_allow_a_part_of_what_is_asked_for(site: Site) -> None:
    code = params(site.approve(site.authorize(scope="files mail"), scope="files:read"))["code"]

    assert members(site.redeem(code))["scope"] == "files:read"
    assert params(site.authorize(site.alice, scope="files", prompt="none"))["error"] == "consent_required"


def test_what_is_implied_by_what_a_person_allows_is_allowed(site: Site) -> None:
    code = params(site.approve(site.authorize(scope="files:read files mail"), scope="files"))["code"]

    assert members(site.redeem(code))["scope"] == "files:read files"


def test_who_says_no_to_a_part_has_taken_back_the_whole(site: Site) -> None:
    site.code(scope="files mail")
    asked = site.authorize(site.alice, scope="files:read", prompt="consent")

    site.get(location(site.drive(site.server.interactions.deny(handle_of(asked), site.alice), site.world)))

    assert params(site.authorize(site.alice, scope="files", prompt="none"))["error"] == "consent_required"
    assert "code" in params(site.authorize(site.alice, scope="mail", prompt="none"))


def test_a_registration_that_shrinks_to_a_part_leaves_that_part_of_what_was_allowed() -> None:
    site = site_for("files mail")
    first = site.tokens(scope="files")

    site.drive(site.server.clients.update("confidential", scope="files:read"), site.world)

    assert site.introspect(first["access_token"], "resource")["scope"] == "files:read"
    assert members(site.refresh(first["refresh_token"]))["scope"] == "files:read"


def test_g5_a_resource_takes_what_the_server_calls_implied_and_has_to_be_told_nothing(site: Site) -> None:
    token = site.tokens(scope="files")["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))
    server = ResourceServer(site.server.tokens)

    assert isinstance(site.drive(server.verify(request, "files:read"), site.world), Access)
    assert not isinstance(site.drive(server.verify(request, "mail"), site.world), Access)


def test_a_resource_that_understands_the_whole_understands_its_parts_and_one_of_a_part_gets_that() -> None:
    whole = Resource("https://whole.example", scopes="files")
    part = Resource("https://part.example", scopes="files:read")
    site = make_site(policy=Policy(implies=IMPLIES), clients=(CLIENT, RESOURCE), resources=[whole, part])

    def given(resource: Resource, scope: str) -> object:
        return members(site.token(grant_type="client_credentials", resource=resource.uri, scope=scope))["scope"]

    assert given(whole, "files:read mail") == "files:read"
    assert given(part, "files mail") == "files:read"


def test_a_step_up_asks_for_the_union_and_consent_adds_up(site: Site) -> None:
    """The client asks for what it has and what the challenge names; who allowed the first is asked for the rest."""
    first = site.tokens(scope="files:read")
    request = Request("GET", "/", (("Authorization", f"Bearer {first['access_token']}"),))
    challenge = site.drive(ResourceServer(site.server.tokens).verify(request, "files mail"), site.world)
    assert challenge.status == 403
    assert 'scope="files mail"' in (challenge.header("www-authenticate") or "")

    asked = site.authorize(site.alice, scope="files:read files mail")
    second = members(site.redeem(params(site.approve(asked))["code"]))

    assert second["scope"] == "files:read files mail"
    assert "code" in params(site.authorize(site.alice, scope="files:read mail", prompt="none"))
