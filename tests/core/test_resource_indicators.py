"""Resource indicators through the endpoints (RFC 8707); names begin with the ids of the checklist for MCP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest

from oauthcore import Access, AnyResource, ConfigurationError, Request, Resource, Resources, ResourceServer, Response
from oauthcore.authorization.request_object import parameters_in
from oauthcore.errors import InvalidRequestObject
from oauthcore.jose.compact import read_claims, read_signed
from oauthcore.openid import OpenID
from oauthcore.records.grant import Grant
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.trace import Recorder, Trace
from tests.core.site import (
    CONFIDENTIAL,
    FORM,
    ISSUER,
    REDIRECT,
    RESOURCE,
    VERIFIER,
    Counted,
    Site,
    basic,
    handle_of,
    location,
    make_site,
    members,
    params,
    refused,
)

API = Resource("https://api.example/mcp", scopes="read profile", name="Files")
MAIL = Resource("https://mail.example", scopes="email profile")


def site_with(*resources: Resource, **settings: Any) -> Site:
    """Make a site of these resources."""
    own = {name: settings.pop(name) for name in ("default", "unregistered", "trailing_slash") if name in settings}
    return make_site(resources=Resources(resources or (API, MAIL), **own), **settings)


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


def claims_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a signed access token says."""
    return dict(read_claims(read_signed(answer["access_token"]).payload))


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


def outcome_of(site: Site, *resources: str, **changes: str | None) -> str:
    """Return what a request that allows no page is answered with: `code`, or the error."""
    return params(site.get(target(site, *resources, prompt="none", **changes), site.alice)).get("error", "code")


def allow_at(site: Site, *resources: str, scope: str, allowed: str | None = None) -> None:
    """Have alice allow a scope at resources, or the part of it that is named."""
    asked = site.get(target(site, *resources, scope=scope, prompt="consent"), site.alice)
    site.approve(asked, site.alice, allowed or scope)


def test_what_was_allowed_at_each_of_several_resources_needs_no_page_for_all_of_them() -> None:
    site = site_with()
    allow_at(site, API.uri, scope="read")
    allow_at(site, MAIL.uri, scope="email")

    assert outcome_of(site, API.uri, MAIL.uri, scope="read email") == "code"
    assert outcome_of(site, MAIL.uri, API.uri, scope="email") == "code"


def test_what_was_allowed_at_several_resources_at_once_is_remembered_at_each() -> None:
    site = site_with()
    allow_at(site, API.uri, MAIL.uri, scope="read email")

    assert outcome_of(site, API.uri, scope="read") == "code"
    assert outcome_of(site, MAIL.uri, scope="email") == "code"
    assert outcome_of(site, MAIL.uri, scope="profile") == "consent_required"


def test_a_scope_is_asked_for_anew_at_the_resource_that_understands_it_and_was_not_allowed_it() -> None:
    site = site_with()
    allow_at(site, API.uri, scope="read profile")
    allow_at(site, MAIL.uri, scope="email")

    assert outcome_of(site, API.uri, MAIL.uri, scope="read email") == "code"
    assert outcome_of(site, API.uri, MAIL.uri, scope="read profile email") == "consent_required"


def test_a_request_that_exceeds_what_was_allowed_shows_all_of_it_and_says_what_was_allowed_before() -> None:
    site = site_with()
    allow_at(site, API.uri, scope="read")
    handle = handle_of(site.get(target(site, API.uri, MAIL.uri, scope="read email"), site.alice))

    pending = site.drive(site.server.interactions.find(handle, site.alice), site.world)

    assert pending is not None
    assert pending.resources == (API, MAIL)
    assert pending.allowed_at == (API,)
    assert pending.scope.text == "read email"


def test_what_is_denied_for_several_resources_is_taken_back_at_each_and_what_was_not_asked_for_stays() -> None:
    site = site_with()
    allow_at(site, API.uri, scope="read profile")
    allow_at(site, MAIL.uri, scope="email")
    handle = handle_of(site.get(target(site, API.uri, MAIL.uri, scope="read email", prompt="consent"), site.alice))
    denied = site.drive(site.server.interactions.deny(handle, site.alice), site.world)

    assert params(site.get(location(denied)))["error"] == "access_denied"
    assert outcome_of(site, API.uri, scope="read") == "consent_required"
    assert outcome_of(site, API.uri, scope="profile") == "code"
    assert outcome_of(site, MAIL.uri, scope="email") == "consent_required"


def test_what_is_left_unticked_for_several_resources_is_taken_back_where_it_was_allowed() -> None:
    site = site_with()
    allow_at(site, API.uri, scope="read")
    allow_at(site, API.uri, MAIL.uri, scope="read email", allowed="email")

    assert outcome_of(site, API.uri, scope="read") == "consent_required"
    assert outcome_of(site, MAIL.uri, scope="email") == "code"


def test_consent_at_one_of_several_resources_that_has_expired_is_none() -> None:
    site = site_with()
    allow_at(site, API.uri, scope="read")
    site.clock.now += 200 * 86_400
    allow_at(site, MAIL.uri, scope="email")
    site.clock.now += 200 * 86_400

    assert outcome_of(site, API.uri, MAIL.uri, scope="read email") == "consent_required"
    assert outcome_of(site, MAIL.uri, scope="email") == "code"


def test_an_application_is_listed_with_the_resources_it_was_allowed_at_by_the_names_they_have_now() -> None:
    gone = Resource("https://gone.example")
    site, before = site_with(), site_with(API, MAIL, gone)
    before.world = site.world
    allow_at(before, API.uri, gone.uri, scope="read")
    allow_at(before, MAIL.uri, ISSUER, scope="email")

    (application,) = site.drive(site.server.applications.of("alice"), site.world)

    assert set(application.resources) == {API, MAIL, gone}


def test_an_operator_sees_at_which_resources_a_grant_is_good() -> None:
    site = site_with()
    code_for(site, API.uri, ISSUER)
    (grant,) = site.world.storage.find_of(Grant, "alice")

    assert site.server.grants.resources(grant) == (API,)


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


def test_a_resource_server_asks_about_tokens_for_its_own_resources_and_learns_of_no_other() -> None:
    """RFC 7662 section 4."""
    site = site_with(attrs.evolve(API, introspected_by=["other"]), MAIL)
    first = members(ask(site, redemption(code_for(site, API.uri, MAIL.uri)), MAIL.uri))
    second = members(ask(site, rotation(first["refresh_token"]), API.uri))

    assert site.introspect(first["access_token"], "other") == {"active": False}
    assert site.introspect(second["access_token"], "other")["aud"] == [API.uri]
    assert site.introspect(second["refresh_token"], "other") == {"active": False}


def test_g4_a_token_for_one_resource_opens_no_other_and_nothing_of_the_servers_own() -> None:
    site = site_with()
    token = members(ask(site, redemption(code_for(site, API.uri))))["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))

    def opens(**settings: Any) -> bool:
        flow = ResourceServer(site.server.tokens, **settings).verify(request, "read")
        return isinstance(site.drive(flow, site.world), Access)

    assert opens(resource=API.uri)
    assert opens(resource="HTTPS://API.example:443/mcp")
    assert not opens(resource=MAIL.uri)
    assert not opens(resource=API.uri + "/")
    assert not opens()


def test_c10_a_signed_token_says_what_rfc_9068_wants_of_one_for_that_resource() -> None:
    api = attrs.evolve(API, access_token_format="jwt", access_token_lifetime=77, access_token_signing_alg="ES256")
    site = site_with(api, MAIL, keys=KeyPolicy(algorithms=("RS256", "ES256")))

    answer = members(ask(site, redemption(code_for(site, API.uri))))

    header, claims = read_signed(answer["access_token"]).header, claims_of(answer)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert claims["aud"] == API.uri
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 77
    assert (claims["client_id"], claims["sub"], claims["scope"]) == ("confidential", "alice", "profile read")
    assert {"iss", "jti"} <= claims.keys()


def test_c10_a_token_for_several_resources_names_them_all() -> None:
    api = attrs.evolve(API, access_token_format="jwt")
    site = site_with(api, MAIL, keys=KeyPolicy())

    answer = members(ask(site, redemption(code_for(site, API.uri, MAIL.uri))))

    assert claims_of(answer)["aud"] == [API.uri, MAIL.uri]


def test_resources_that_want_other_signatures_have_no_token_together_and_the_code_stays_good() -> None:
    one = Resource("https://one.example", access_token_format="jwt", access_token_signing_alg="ES256")
    two = Resource("https://two.example", access_token_format="jwt", access_token_signing_alg="RS256")
    site = site_with(one, two, keys=KeyPolicy(algorithms=("RS256", "ES256")))
    code = code_for(site, one.uri, two.uri)

    assert refused(ask(site, redemption(code)), "invalid_target", "no token can be issued")
    assert audience(site, ask(site, redemption(code), two.uri)) == [two.uri]


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"resources": [Resource("https://a.example", access_token_format="jwt")]}, "access_token_format"),
        ({"resources": [Resource("https://a.example", access_token_signing_alg="ES256")]}, "access_token_signing_alg"),
    ],
)
def test_a_server_that_can_not_sign_for_a_resource_is_not_made(settings: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_site(**settings)

    assert raised.value.setting == setting


@pytest.mark.parametrize(
    "make",
    [
        lambda: Resource("https://a.example#x"),
        lambda: Resource("a"),
        lambda: Resource(None),  # type: ignore[arg-type]  # the mistake
        lambda: Resource("https://a.example", access_token_lifetime=0),
        lambda: Resource("https://a.example", access_token_format="JWT"),  # type: ignore[arg-type]  # the mistake
        lambda: Resource("https://a.example", client_ids="app"),
        lambda: Resource("https://a.example", scopes=["é"]),
        lambda: Resource("https://a.example", introspected_by="api"),
        lambda: Resources([Resource("https://a.example"), Resource("https://a.example:443/")]),
        lambda: Resources([Resource("https://a/b"), Resource("https://a/b/")], trailing_slash="ignored"),
        lambda: Resources([API], default=MAIL.uri),
        lambda: Resources([API], default="nonsense", unregistered=AnyResource()),
        lambda: Resources([API], unregistered="any"),  # type: ignore[arg-type]  # the mistake
        lambda: Resources([API], trailing_slash="both"),  # type: ignore[arg-type]  # the mistake
        lambda: Resources(API),  # type: ignore[arg-type]  # the mistake
        lambda: Resources([API.uri]),  # type: ignore[list-item]  # the mistake
        lambda: AnyResource(below=["mcp"]),
        lambda: AnyResource(below="https://mcp.example"),
    ],
)
def test_resources_that_can_not_be_are_not_made(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError, match=r"use|give|leave|name"):
        make()


def test_an_open_policy_may_be_open_below_some_place_alone() -> None:
    site = site_with(unregistered=AnyResource(below=["https://mcp.example/a"]))

    answers = {
        uri: params(site.get(target(site, uri))).get("error")
        for uri in ("https://mcp.example/a/b", "https://mcp.example/ab", "https://mcp.example.evil.example/a")
    }

    assert list(answers.values()) == [None, "invalid_target", "invalid_target"]


@pytest.mark.parametrize(
    "uri",
    ["http://h.example/mcp", "https://user@h.example", "https://h.example/../x", "https://hö.example", "urn:a:b"],
)
def test_an_open_policy_takes_no_resource_that_somebody_else_could_be(uri: str) -> None:
    site = site_with(unregistered=AnyResource())

    assert params(site.get(target(site, uri)))["error"] == "invalid_target"


def test_metadata_names_the_resources_that_are_for_every_client_and_their_scopes() -> None:
    """RFC 9728 section 4."""
    site = site_with(API, attrs.evolve(MAIL, client_ids=["other"]), Resource("urn:example:api"))

    document = members(site.get("/.well-known/oauth-authorization-server"))

    assert document["protected_resources"] == [API.uri]
    assert document["scopes_supported"] == ["read", "profile"]


def test_metadata_says_nothing_of_resources_where_there_are_none(site: Site) -> None:
    document = members(site.get("/.well-known/oauth-authorization-server"))

    assert "protected_resources" not in document


def test_a_resource_that_is_taken_out_of_the_registration_gets_no_more_tokens() -> None:
    site = site_with()
    first = members(ask(site, redemption(code_for(site, API.uri, MAIL.uri))))
    without = make_site(resources=[MAIL])
    without.world = site.world

    narrowed = ask(without, rotation(first["refresh_token"]))

    assert audience(without, narrowed) == [MAIL.uri]
    assert refused(ask(without, rotation(members(narrowed)["refresh_token"]), API.uri), "invalid_target")


@pytest.mark.parametrize("settings", [{}, {"resources": [Resource("https://other.example")]}])
def test_a_grant_is_for_nothing_else_when_none_of_its_resources_is_left(settings: dict[str, Any]) -> None:
    site = site_with()
    first = members(ask(site, redemption(code_for(site, API.uri))))
    without = make_site(**settings)
    without.world = site.world

    assert refused(ask(without, rotation(first["refresh_token"])), "invalid_target", "no longer use")


def test_a_grant_from_before_there_were_resources_is_for_the_server_itself() -> None:
    before = make_site()
    first = before.tokens()
    site = site_with()
    site.world = before.world

    assert refused(ask(site, rotation(first["refresh_token"]), API.uri), "invalid_target")
    assert audience(site, ask(site, rotation(first["refresh_token"]))) == [ISSUER]


def test_with_openid_connect_a_token_that_names_no_resource_opens_userinfo_and_one_that_does_does_not() -> None:
    """OIDC Core section 5.3."""
    client = attrs.evolve(CONFIDENTIAL, scope="openid email read")
    site = site_with(API, clients=(client, RESOURCE), openid=OpenID())
    first = members(ask(site, redemption(code_for(site, API.uri, scope="openid read"))))
    second = members(ask(site, rotation(first["refresh_token"]), API.uri))
    third = members(ask(site, rotation(second["refresh_token"]), ISSUER))

    def status(answer: dict[str, Any]) -> int:
        header = ("Authorization", f"Bearer {answer['access_token']}")
        return site.handle(Request("GET", "/userinfo", (header,))).status

    assert [status(answer) for answer in (first, second, third)] == [200, 401, 200]
    assert [answer["scope"] for answer in (first, second, third)] == ["openid read", "openid read", "openid"]


def test_a_request_object_names_resources_as_a_list_or_one() -> None:
    """RFC 9101 section 4, RFC 8707 section 2."""
    for given, read in (("https://a.example", ("https://a.example",)), (["a", "", "b"], ("a", "b"))):
        assert parameters_in({"resource": given}) == {"resource": read}
    with pytest.raises(InvalidRequestObject, match="resource"):
        parameters_in({"resource": [1]})
    with pytest.raises(InvalidRequestObject, match="resource"):
        parameters_in({"resource": {"a": "b"}})


def test_a_request_waits_for_its_person_with_all_of_its_resources() -> None:
    """In a handle that is stored nowhere, and through a reload for the sake of its cookies."""
    site = site_with()
    body = target(site, API.uri, MAIL.uri).partition("?")[2].encode()

    reloaded = site.handle(Request("POST", "/authorize", (FORM,), body))
    code = params(site.approve(site.get(location(reloaded))))["code"]

    assert audience(site, ask(site, redemption(code))) == [API.uri, MAIL.uri]


def test_long_resources_are_refused_before_anybody_signs_in() -> None:
    site = site_with(unregistered=AnyResource())
    long = [f"https://{number}.example/{'x' * 450}" for number in range(18)]

    assert params(site.get(target(site, *long)))["error"] == "invalid_request"


def test_a_token_request_with_resources_takes_no_more_finds_and_commits() -> None:
    site = site_with()
    first = members(ask(site, redemption(code_for(site, API.uri, MAIL.uri))))
    counted = Counted(site)

    ask(site, rotation(first["refresh_token"]), API.uri)

    assert (counted.finds, counted.commits) == (3, 1)


def test_a_function_of_the_hosts_that_finds_resources_is_left_out_of_a_trace() -> None:
    """Whoever plays it again hands it over, as grants and endpoints are."""
    traces: list[Trace] = []
    site = site_with(unregistered=lambda uri, _: Resource(uri))
    site.server = site.server.with_instruments(
        attrs.evolve(site.server.instruments, record=Recorder(traces.append).record)
    )

    response = ask(site, {"grant_type": "client_credentials"}, "https://new.example")

    assert audience(site, response) == ["https://new.example"]
    assert "resources" not in traces[0].settings
