"""Resource indicators through the endpoints (RFC 8707); names begin with the ids of the checklist for MCP."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from oauthcore import AnyResource, Resource, Resources, Response
from tests.core.site import (
    ISSUER,
    REDIRECT,
    VERIFIER,
    Site,
    basic,
    make_site,
    members,
    params,
    refused,
)

API = Resource("https://api.example/mcp", scopes="read profile", name="Files")
MAIL = Resource("https://mail.example", scopes="email profile")


def site_with(*resources: Resource, **settings: Any) -> Site:
    """Make a site of these resources."""
    return make_site(resources=Resources(resources or (API, MAIL), **settings))


def target(site: Site, *resources: str, **changes: str | None) -> str:
    """Return the target of an authorization request that names resources."""
    pairs = urlencode([("resource", uri) for uri in resources])
    return f"{site.authorize_target(**{'scope': 'email profile read', **changes})}&{pairs}"


def code_for(site: Site, *resources: str, **changes: str | None) -> str:
    """Return a code for resources."""
    return params(site.approve(site.get(target(site, *resources, **changes))))["code"]


def ask(site: Site, grant: dict[str, str | None], *resources: str, **changes: str | None) -> Response:
    """Ask the token endpoint, with as many resources."""
    given = {name: value for name, value in {**grant, **changes}.items() if value is not None}
    body = urlencode([*given.items(), *(("resource", uri) for uri in resources)]).encode()
    return site.post("/token", body, basic("confidential", "confidential-secret"))


def redemption(code: str) -> dict[str, str | None]:
    """Return what redeems a code."""
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}


def rotation(refresh_token: str) -> dict[str, str | None]:
    """Return what refreshes."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token}


def audience(site: Site, response: Response) -> object:
    """Return what introspection says whom a token is meant for."""
    return site.introspect(members(response)["access_token"], "resource").get("aud")


def test_c9_a_token_is_for_the_resources_that_were_asked_for_at_the_authorization_endpoint() -> None:
    site = site_with()

    response = ask(site, redemption(code_for(site, API.uri, MAIL.uri)))

    assert audience(site, response) == [API.uri, MAIL.uri]


def test_c9_a_code_exchange_may_name_fewer_and_the_grant_keeps_all() -> None:
    site = site_with()
    first = ask(site, redemption(code_for(site, API.uri, MAIL.uri)), API.uri)

    second = ask(site, rotation(members(first)["refresh_token"]))

    assert audience(site, first) == [API.uri]
    assert audience(site, second) == [API.uri, MAIL.uri]


def test_c9_a_code_exchange_that_names_more_is_refused_and_leaves_the_code_good() -> None:
    site = site_with()
    code = code_for(site, API.uri)

    assert refused(ask(site, redemption(code), API.uri, MAIL.uri), "invalid_target", "not allowed")
    assert audience(site, ask(site, redemption(code), API.uri)) == [API.uri]


def test_d4_a_refresh_names_resources_within_the_grant() -> None:
    site = site_with()
    first = members(ask(site, redemption(code_for(site, API.uri))))

    assert refused(ask(site, rotation(first["refresh_token"]), MAIL.uri), "invalid_target", "not allowed")
    assert audience(site, ask(site, rotation(first["refresh_token"]), API.uri)) == [API.uri]


@pytest.mark.parametrize(
    "uri",
    ["https://api.example/mcp#x", "/mcp", "api.example/mcp", "https://other.example", "https://api.example/mcp2", "é"],
)
def test_b5_what_is_no_resource_here_is_an_invalid_target(uri: str) -> None:
    site = site_with()

    assert params(site.get(target(site, uri)))["error"] == "invalid_target"
    assert refused(ask(site, {"grant_type": "client_credentials"}, uri), "invalid_target")


@pytest.mark.parametrize("uri", ["https://api.example:443/mcp", "HTTPS://API.example/mcp"])
def test_b6_the_audience_is_the_string_that_was_registered(uri: str) -> None:
    site = site_with()

    assert audience(site, ask(site, redemption(code_for(site, uri)), uri)) == [API.uri]


@pytest.mark.parametrize("registered", ["https://h.example", "https://h.example/"])
@pytest.mark.parametrize("named", ["https://h.example", "https://h.example/"])
def test_b6_a_host_and_its_root_are_one_resource_and_go_out_as_registered(registered: str, named: str) -> None:
    site = site_with(Resource(registered))

    assert audience(site, ask(site, redemption(code_for(site, named)), named)) == [registered]


def test_b6_a_final_slash_counts_unless_it_is_to_be_ignored() -> None:
    exact, ignoring = site_with(), site_with(trailing_slash="ignored")

    assert params(exact.get(target(exact, API.uri + "/")))["error"] == "invalid_target"
    assert audience(ignoring, ask(ignoring, redemption(code_for(ignoring, API.uri + "/")))) == [API.uri]


def test_b7_a_request_without_a_resource_means_the_default() -> None:
    site = site_with(default=API.uri)

    assert audience(site, ask(site, redemption(code_for(site)))) == [API.uri]
    assert audience(site, ask(site, {"grant_type": "client_credentials"})) == [API.uri]


def test_b7_without_a_default_it_means_the_server_itself() -> None:
    site = site_with()

    assert audience(site, ask(site, redemption(code_for(site)))) == [ISSUER]


def test_a_server_without_resources_ignores_the_parameter() -> None:
    """RFC 6749 section 3.1."""
    site = make_site()

    assert audience(site, ask(site, redemption(code_for(site, "https://h/#x")), "nonsense")) == [ISSUER]


def test_an_open_policy_takes_resources_that_appear_at_run_time() -> None:
    site = site_with(unregistered=AnyResource())

    response = ask(site, redemption(code_for(site, "https://NEW.example:443/mcp")), "https://new.example/mcp")

    assert audience(site, response) == ["https://new.example/mcp"]


def test_client_credentials_are_for_the_resources_that_are_named() -> None:
    site = site_with()

    response = ask(site, {"grant_type": "client_credentials"}, MAIL.uri)

    assert audience(site, response) == [MAIL.uri]
    assert members(response)["scope"] == "email profile"


def test_a_token_has_the_scope_that_its_resources_understand() -> None:
    site = site_with()
    first = ask(site, redemption(code_for(site, API.uri, MAIL.uri)), API.uri)

    second = ask(site, rotation(members(first)["refresh_token"]), MAIL.uri)

    assert members(first)["scope"] == "profile read"
    assert members(second)["scope"] == "email profile"


def test_a_client_has_tokens_for_a_resource_that_is_not_its_own_neither_at_first_nor_by_refresh() -> None:
    mine, others = Resource("https://mine.example"), Resource("https://theirs.example", client_ids=["other"])
    site = site_with(mine, others)
    first = members(ask(site, redemption(code_for(site, mine.uri))))

    assert params(site.get(target(site, others.uri)))["error"] == "invalid_target"
    assert refused(ask(site, rotation(first["refresh_token"]), others.uri), "invalid_target")
    assert refused(ask(site, {"grant_type": "client_credentials"}, others.uri), "invalid_target")


def test_consent_that_is_remembered_for_one_resource_is_none_for_another() -> None:
    site = site_with(Resource("https://a.example"), Resource("https://b.example"))
    finished = site.get(target(site, "https://a.example", scope="read"))
    site.approve(finished)

    again = site.get(target(site, "https://a.example", scope="read", prompt="none"), site.alice)
    other = site.get(target(site, "https://b.example", scope="read", prompt="none"), site.alice)
    both = site.get(target(site, "https://a.example", "https://b.example", scope="read", prompt="none"), site.alice)
    neither = site.get(target(site, scope="read", prompt="none"), site.alice)

    assert "code" in params(again)
    assert [params(one)["error"] for one in (other, both, neither)] == ["consent_required"] * 3


def test_an_honest_retry_of_a_refresh_is_for_the_same_resources_and_any_other_is_refused() -> None:
    site = site_with()
    first = members(ask(site, redemption(code_for(site, API.uri, MAIL.uri))))
    answer = ask(site, rotation(first["refresh_token"]), API.uri)

    same = ask(site, rotation(first["refresh_token"]), API.uri)
    other = ask(site, rotation(first["refresh_token"]), MAIL.uri)

    assert members(same) == members(answer)
    assert refused(other, "invalid_target", "retried")
    assert audience(site, same) == [API.uri]


def test_no_more_resources_are_taken_than_one_token_is_for() -> None:
    site = site_with(unregistered=AnyResource())
    many = [f"https://{number}.example" for number in range(50)]
    too_many = [f"https://{number}.example" for number in range(1_000)]

    assert params(site.get(target(site, *many)))["error"] == "invalid_target"
    assert refused(ask(site, {"grant_type": "client_credentials"}, *too_many), "invalid_request")
