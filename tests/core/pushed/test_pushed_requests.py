"""Pushed authorization requests: the endpoint, the request_uri, and who has to use them (RFC 9126)."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import (
    Allowance,
    Client,
    ConfigurationError,
    Lifetimes,
    Paths,
    Peer,
    Policy,
    PushedRequests,
    Request,
    Resource,
    Response,
    Secret,
    run,
)
from oauthcore.authorization.checks import CHECKS
from oauthcore.clients.client_metadata import metadata_of, read_metadata
from oauthcore.flow.outcome import Event
from oauthcore.openid import OpenID
from oauthcore.records.interaction import Interaction
from oauthcore.records.lifecycle import PushedRequestState
from oauthcore.records.pushed_request import PushedRequest
from oauthcore.signing.keys import GivenKeys
from tests.core.clients.publishing import CALLBACK, WEB, published
from tests.core.pushed.pushing import REQUEST_URI, push, push_request, pushed, pushing_site, target, use
from tests.core.registering import OPEN, register
from tests.core.signing_keys import key_for
from tests.core.site import (
    CHALLENGE,
    CLIENTS,
    CONFIDENTIAL,
    FORM,
    PUBLIC,
    REDIRECT,
    SECRETS,
    Counted,
    Drive,
    Site,
    basic,
    form,
    handle_of,
    location,
    make_site,
    members,
    params,
    refused,
    refused_by_page,
)

CHALLENGED = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
BOUND = attrs.evolve(CONFIDENTIAL, client_id="bound", require_pushed_authorization_requests=True)


@pytest.fixture
def pushing(drive: Drive) -> Site:
    """Return a site where clients may push."""
    return pushing_site(drive)


def record_of(site: Site, request_uri: str) -> PushedRequest | None:
    """Return what is stored of a pushed request."""
    key = site.server.context().digest("pushed_request", Secret(request_uri.removeprefix(REQUEST_URI)))
    found = site.world.storage.find(PushedRequest, key)
    assert found is None or isinstance(found, PushedRequest)
    return found


def finished(site: Site, page: Response) -> str:
    """Return where the browser is sent once its user has allowed everything."""
    answer = site.server.interactions.finish(handle_of(page), site.alice, ["email"])
    return location(site.drive(answer, site.world))


# The endpoint.


def test_requests_can_be_pushed_only_where_that_is_turned_on(site: Site) -> None:
    metadata = members(site.get("/.well-known/oauth-authorization-server"))

    assert push(site).status == 404
    assert not any("pushed" in name for name in metadata)
    assert params(use(site, REQUEST_URI + "x" * 43, redirect_uri=REDIRECT))["error"] == "invalid_request_uri"
    with pytest.raises(ConfigurationError, match="require_pushed_authorization_requests"):
        run(site.server.clients.register(BOUND), site.world)


@pytest.mark.parametrize("required", [False, True])
def test_the_metadata_names_the_endpoint_and_says_whether_it_has_to_be_used(*, required: bool) -> None:
    """Section 5."""
    site = pushing_site(pushed_requests=PushedRequests(required=required))
    metadata = members(site.get("/.well-known/oauth-authorization-server"))

    assert metadata["pushed_authorization_request_endpoint"] == "https://as.example/par"
    assert metadata["require_pushed_authorization_requests"] is required


def test_a_pushed_request_is_answered_with_a_uri_and_how_long_it_lasts(pushing: Site) -> None:
    """Section 2.2."""
    response = push(pushing)

    assert response.status == 201
    assert response.header("cache-control") == "no-store"
    assert members(response)["request_uri"].startswith(REQUEST_URI)
    assert len(members(response)["request_uri"]) == len(REQUEST_URI) + 43
    assert members(response)["expires_in"] == 60
    assert pushing.events == [Event("authorization_request_pushed", "confidential")]


def test_the_storage_has_only_the_digest_of_the_uri(pushing: Site) -> None:
    request_uri = pushed(pushing)

    stored = record_of(pushing, request_uri)

    assert stored is not None
    assert request_uri.removeprefix(REQUEST_URI) not in str(attrs.asdict(stored))
    assert "code_challenge" not in repr(stored)


def test_a_client_authenticates_as_at_the_token_endpoint(pushing: Site) -> None:
    """Section 2.1."""
    response = pushing.handle(attrs.evolve(push_request(), headers=(FORM, basic("confidential", "wrong"))))

    assert response.status == 401
    assert refused(response, "invalid_client")


def test_a_confidential_client_can_not_push_without_its_secret(pushing: Site) -> None:
    assert refused(pushing.handle(attrs.evolve(push_request(), headers=(FORM,))), "invalid_client")


def test_a_client_may_name_itself_in_the_authorization_header_alone(pushing: Site) -> None:
    assert push(pushing, client_id="confidential").status == 201
    body = form(redirect_uri=REDIRECT, response_type="code", code_challenge="x" * 43, code_challenge_method="S256")

    response = pushing.handle(Request("POST", "/par", (FORM, basic("confidential", SECRETS["confidential"])), body))

    assert response.status == 201


def test_a_client_can_not_push_in_the_name_of_another(pushing: Site) -> None:
    request = push_request(client_id="other")
    headers = (FORM, basic("confidential", SECRETS["confidential"]))

    assert refused(pushing.handle(attrs.evolve(request, headers=headers)), "invalid_request")


def test_a_reference_can_not_be_pushed(pushing: Site) -> None:
    """Section 2.1: request_uri MUST NOT be provided."""
    assert refused(push(pushing, request_uri=pushed(pushing)), "invalid_request", "request_uri")
    assert refused(push(pushing, request_uri="https://client.example/object"), "invalid_request", "request_uri")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment?"}, "invalid_request"),
        ({"scope": "root"}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "x.y.z"}, "invalid_request_object"),
        ({"state": "s" * 7_000}, "invalid_request"),
    ],
)
def test_what_the_authorization_endpoint_would_refuse_is_refused_when_it_is_pushed(
    pushing: Site, changes: dict[str, str | None], code: str
) -> None:
    """Section 2.1, step 3."""
    response = push(pushing, "confidential", None, **changes)

    assert response.status == 400
    assert refused(response, code)
    assert pushing.events == []


def test_a_parameter_that_comes_twice_is_refused(pushing: Site) -> None:
    request = push_request()

    assert refused(pushing.handle(attrs.evolve(request, body=request.body + b"&state=t")), "invalid_request")


def test_other_methods_are_not_allowed(pushing: Site) -> None:
    """Section 2.3."""
    response = pushing.handle(Request("GET", "/par"))

    assert response.status == 405
    assert "POST" in (response.header("allow") or "")


def test_an_application_in_a_browser_may_push(pushing: Site) -> None:
    preflight = (("Origin", "https://spa.example"), ("Access-Control-Request-Method", "POST"))

    assert pushing.handle(Request("OPTIONS", "/par", preflight)).header("access-control-allow-origin") == "*"
    assert push(pushing, "public").header("access-control-allow-origin") == "*"


def test_the_pushed_checks_are_those_of_the_authorization_endpoint_and_one_more() -> None:
    pushed_rows = [row.name for row in CHECKS if "pushed_authorization_request" in row.endpoints]
    usual = [row.name for row in CHECKS if "authorization" in row.endpoints]

    assert set(pushed_rows) - set(usual) == {"request_uri is not what is pushed"}
    assert set(usual) - set(pushed_rows) == {
        # A hint is verified when the browser comes, and the last is what pushing is for.
        "id_token_hint is verified where nobody can be asked",
        "the request was pushed, where the client or the server requires that",
    }


# Limits.


def test_public_clients_push_so_many_requests_from_an_address_and_no_more(drive: Drive) -> None:
    """Section 2.3: 429."""
    site = pushing_site(drive, pushed_requests=PushedRequests(max_from_address=2))
    here, there = Peer("203.0.113.7", is_secure=True), Peer("203.0.113.8", is_secure=True)
    answers = [push(site, "public", here).status for _ in range(3)]

    assert answers == [201, 201, 429]
    assert push(site, "public", there).status == 201
    assert push(site, "confidential", here).status == 201
    site.clock.advance(60)
    assert push(site, "public", here).status == 201


def test_there_may_be_no_limit() -> None:
    site = pushing_site(pushed_requests=PushedRequests(max_from_address=None))
    here = Peer("203.0.113.7", is_secure=True)

    assert {push(site, "public", here).status for _ in range(3)} == {201}


@pytest.mark.parametrize("settings", [{"lifetime": 4}, {"lifetime": 601}, {"max_from_address": 0}])
def test_settings_that_can_not_be_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=f"pushed_requests.{next(iter(settings))}"):
        PushedRequests(**settings)  # type: ignore[arg-type]  # some of them


def test_the_setting_is_no_table_of_values() -> None:
    with pytest.raises(ConfigurationError, match="turn it on"):
        make_site(pushed_requests={"lifetime": 60})


# The use of a request_uri.


def test_a_pushed_request_is_answered_as_any_other(pushing: Site) -> None:
    answer = params(pushing.approve(use(pushing, pushed(pushing))))

    assert answer["state"] == "s"
    assert pushing.redeem(answer["code"]).status == 200


def test_a_public_client_pushes_and_gets_its_code(pushing: Site) -> None:
    request_uri = pushed(pushing, "public")

    answer = params(pushing.approve(pushing.get(target(request_uri, "public"))))

    assert answer["code"]


def test_a_request_uri_may_come_by_post(pushing: Site) -> None:
    request_uri = pushed(pushing)
    _ = use(pushing, request_uri)  # the browser has its cookie
    headers = (FORM, ("Cookie", pushing.cookie or ""))

    response = pushing.handle(
        Request("POST", "/authorize", headers, form(client_id="confidential", request_uri=request_uri))
    )

    assert location(response).startswith("/login?")


def test_a_form_without_cookies_is_reloaded_with_its_request_uri(pushing: Site) -> None:
    request_uri = pushed(pushing)

    response = pushing.post("/authorize", form(client_id="confidential", request_uri=request_uri))
    reloaded = pushing.get(location(response), pushing.alice)

    assert handle_of(reloaded)


@pytest.mark.parametrize(
    "beside",
    [
        {"redirect_uri": "https://evil.example/cb"},
        {"scope": "read", "state": "another", "response_type": "none", "prompt": "none"},
        {"request": "x.y.z"},
        {"response_mode": "fragment", "code_challenge": "z" * 43, "nonce": "n", "max_age": "x"},
    ],
)
def test_nothing_beside_the_request_uri_has_any_effect(pushing: Site, beside: dict[str, str]) -> None:
    """Section 4."""
    alone = use(pushing, pushed(pushing))
    together = use(pushing, pushed(pushing), None, **beside)

    find = pushing.server.interactions.find
    one, other = (pushing.drive(find(handle_of(page)), pushing.world) for page in (alone, together))
    assert one == other
    assert params(pushing.approve(together))["state"] == "s"


def test_the_client_has_to_be_named_beside_the_request_uri(pushing: Site) -> None:
    """RFC 9101 section 5: client_id is required."""
    assert refused_by_page(pushing.get(target(pushed(pushing), None)), "client_id")


def test_a_request_uri_is_of_no_use_to_another_client(pushing: Site) -> None:
    """Section 4."""
    assert refused_by_page(pushing.get(target(pushed(pushing), "other")), "another client's")


@pytest.mark.parametrize("request_uri", [REQUEST_URI, REQUEST_URI + "a" * 43, REQUEST_URI + "é" * 500])
def test_a_request_uri_that_was_never_given_out_is_an_error_page(pushing: Site, request_uri: str) -> None:
    assert refused_by_page(use(pushing, request_uri), "unknown")


def test_a_request_uri_expires(pushing: Site) -> None:
    request_uri = pushed(pushing)

    pushing.clock.advance(60)

    assert refused_by_page(use(pushing, request_uri, redirect_uri=REDIRECT), "expired")


def test_a_request_uri_lasts_as_long_as_is_set(drive: Drive) -> None:
    site = pushing_site(drive, pushed_requests=PushedRequests(lifetime=600))
    response = push(site)
    site.clock.advance(599)

    assert members(response)["expires_in"] == 600
    assert handle_of(use(site, members(response)["request_uri"]))


def test_a_request_uri_can_be_loaded_again_until_it_is_answered(pushing: Site) -> None:
    """FAPI 2.0 Security Profile section 5.3.2.2: one use is counted at the answer, not when a page is loaded."""
    request_uri = pushed(pushing)
    _ = use(pushing, request_uri)
    again = use(pushing, request_uri)

    assert params(pushing.approve(again))["code"]
    assert refused_by_page(use(pushing, request_uri), "answered before")


def test_the_login_page_can_be_reloaded_also_after_the_request_uri_has_expired(pushing: Site) -> None:
    started = use(pushing, pushed(pushing))
    pushing.clock.advance(600)

    found = [pushing.drive(pushing.server.interactions.find(handle_of(started)), pushing.world) for _ in range(2)]

    assert None not in found
    assert params(pushing.approve(started))["code"]


def test_a_code_that_takes_no_page_spends_the_request(pushing: Site) -> None:
    _ = pushing.approve(pushing.authorize())  # consent is remembered from now on
    request_uri = pushed(pushing)

    first = use(pushing, request_uri, pushing.alice)
    second = use(pushing, request_uri, pushing.alice)

    assert params(first)["code"]
    assert refused_by_page(second, "answered before")


def test_an_error_for_the_client_spends_the_request(pushing: Site) -> None:
    request_uri = pushed(pushing, prompt="none")

    first, second = use(pushing, request_uri), use(pushing, request_uri, pushing.alice)

    assert params(first)["error"] == "login_required"
    assert refused_by_page(second, "answered before")


def test_a_users_no_spends_the_request(pushing: Site) -> None:
    request_uri = pushed(pushing)
    started = use(pushing, request_uri)
    denied = pushing.drive(pushing.server.interactions.deny(handle_of(started), pushing.alice), pushing.world)

    assert params(pushing.get(location(denied)))["error"] == "access_denied"
    assert refused_by_page(use(pushing, request_uri), "answered before")


def test_of_two_tabs_the_one_that_is_answered_first_gets_the_code(pushing: Site) -> None:
    """Section 7.3."""
    request_uri = pushed(pushing)
    tabs = [use(pushing, request_uri) for _ in range(2)]

    first, second = (pushing.get(back) for back in [finished(pushing, tab) for tab in tabs])

    assert params(first)["code"]
    assert refused_by_page(second, "another tab")


def test_of_two_tabs_one_gets_the_code_also_when_the_record_is_purged_meanwhile(pushing: Site) -> None:
    request_uri = pushed(pushing)
    tabs = [use(pushing, request_uri) for _ in range(2)]
    pushing.clock.advance(600)
    assert pushing.world.storage.purge(pushing.now, 1_000) > 0
    assert record_of(pushing, request_uri) is None

    first, second = (pushing.get(back) for back in [finished(pushing, tab) for tab in tabs])

    assert params(first)["code"]
    assert refused_by_page(second, "another tab")


def test_a_spent_request_is_remembered_while_an_interaction_of_it_may_last(pushing: Site) -> None:
    request_uri = pushed(pushing)
    _ = pushing.approve(use(pushing, request_uri))

    spent = record_of(pushing, request_uri)

    assert spent is not None
    assert (spent.state, spent.request) == (PushedRequestState.SPENT, None)
    assert spent.expires_at > pushing.now + Lifetimes().interaction_lifetime


def test_a_request_of_a_client_that_was_disabled_since_is_refused(pushing: Site) -> None:
    request_uri = pushed(pushing)
    run(pushing.server.clients.disable("confidential"), pushing.world)

    assert refused_by_page(use(pushing, request_uri), "disabled")


def test_a_request_of_a_client_that_was_registered_again_since_is_refused(pushing: Site) -> None:
    request_uri = pushed(pushing)
    run(pushing.server.clients.remove("confidential"), pushing.world)
    run(pushing.server.clients.register(CONFIDENTIAL), pushing.world)

    assert refused_by_page(use(pushing, request_uri), "registered by this identifier before")


def test_what_was_removed_from_the_registration_since_counts(pushing: Site) -> None:
    request_uri = pushed(pushing)
    run(pushing.server.clients.update("confidential", redirect_uris=("https://client.example/new",)), pushing.world)

    assert refused_by_page(use(pushing, request_uri), "not registered")


def test_resources_are_kept_all_of_them(drive: Drive) -> None:
    site = pushing_site(drive, resources=[Resource("https://a.example"), Resource("https://b.example")])
    request = push_request()
    body = request.body + b"&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example"
    response = site.handle(attrs.evolve(request, body=body))

    started = use(site, members(response)["request_uri"], resource="https://a.example")
    pending = site.drive(site.server.interactions.find(handle_of(started)), site.world)

    assert [resource.uri for resource in pending.resources] == ["https://a.example", "https://b.example"]


def test_a_pushed_hint_is_verified_when_the_browser_comes(drive: Drive) -> None:
    """With prompt=none a hint that can't be verified is refused, but not when it is pushed."""
    site = pushing_site(
        drive, openid=OpenID(), keys=GivenKeys([key_for("RS256")]), policy=Policy.openid(), clients=(*CLIENTS,)
    )
    request_uri = pushed(site, id_token_hint="x.y.z", prompt="none")

    assert params(use(site, request_uri, site.alice))["error"] == "login_required"


# Who has to push.


def test_a_client_that_has_to_push_is_refused_without(drive: Drive) -> None:
    """Section 6."""
    site = pushing_site(drive, clients=(*CLIENTS, BOUND), secrets={**SECRETS, "bound": "bound-secret"})

    answer = site.authorize(None, client_id="bound")

    assert params(answer)["error"] == "invalid_request"
    assert "push" in params(answer)["error_description"]
    assert answer.refusal is not None


def test_a_client_that_has_to_push_is_served_when_it_does(drive: Drive) -> None:
    site = pushing_site(drive, clients=(*CLIENTS, BOUND), secrets={**SECRETS, "bound": "bound-secret"})
    request = attrs.evolve(push_request("bound"), headers=(FORM, basic("bound", "bound-secret")))
    request_uri = members(site.handle(request))["request_uri"]

    assert params(site.approve(site.get(target(request_uri, "bound"))))["code"]


def test_a_server_can_require_it_of_every_client(drive: Drive) -> None:
    """Section 5."""
    site = pushing_site(drive, pushed_requests=PushedRequests(required=True))

    assert "pushed here" in params(site.authorize())["error_description"]
    assert params(site.approve(use(site, pushed(site))))["code"]


def test_a_client_that_has_to_push_gets_no_code_once_that_is_turned_off(drive: Drive) -> None:
    on = pushing_site(drive, clients=(*CLIENTS, BOUND), secrets={**SECRETS, "bound": "bound-secret"})
    off = make_site(drive)
    off.world = on.world

    assert params(off.authorize(None, client_id="bound"))["error"] == "invalid_request"


# Redirect URIs.


def test_a_pushed_redirect_uri_has_to_be_registered_unless_the_policy_says_otherwise(drive: Drive) -> None:
    """Section 2.4."""
    elsewhere = "https://client.example/of/today"
    policy = Policy.oauth21(allow={Allowance.PUSHED_REDIRECT_URIS})
    strict, free = pushing_site(drive), pushing_site(drive, policy=policy)

    assert refused(push(strict, redirect_uri=elsewhere), "invalid_request", "not registered")
    answer = free.approve(use(free, pushed(free, redirect_uri=elsewhere)))
    assert location(answer).startswith(elsewhere + "?")
    assert free.redeem(params(answer)["code"], redirect_uri=elsewhere).status == 200


def test_a_redirect_uri_that_was_not_pushed_has_to_be_registered_all_the_same(drive: Drive) -> None:
    site = pushing_site(drive, policy=Policy.oauth21(allow={Allowance.PUSHED_REDIRECT_URIS}))

    assert refused_by_page(site.authorize(None, redirect_uri="https://client.example/of/today"), "not registered")


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "http://client.example/cb", "https://a.example/#f", "x"])
def test_a_redirect_uri_that_could_not_be_registered_can_not_be_pushed(drive: Drive, uri: str) -> None:
    site = pushing_site(drive, policy=Policy.oauth21(allow={Allowance.PUSHED_REDIRECT_URIS}))

    assert refused(push(site, redirect_uri=uri), "invalid_request", "not registered")


def test_a_public_client_has_to_register_its_redirect_uris(drive: Drive) -> None:
    site = pushing_site(drive, policy=Policy.oauth21(allow={Allowance.PUSHED_REDIRECT_URIS}))

    assert refused(push(site, "public", redirect_uri="https://evil.example/cb"), "invalid_request", "not registered")


def test_a_client_that_registered_itself_has_to_register_its_redirect_uris(drive: Drive) -> None:
    """RFC 9700 section 4.11.2."""
    policy = Policy.oauth21(allow={Allowance.PUSHED_REDIRECT_URIS})
    site = pushing_site(drive, registration=OPEN, policy=policy)
    registered = members(register(site, redirect_uris=[REDIRECT], token_endpoint_auth_method="client_secret_basic"))
    client_id = registered["client_id"]
    request = push_request(client_id, redirect_uri="https://evil.example/cb")
    headers = (FORM, basic(client_id, registered["client_secret"]))

    assert refused(site.handle(attrs.evolve(request, headers=headers)), "invalid_request", "not registered")


# What it costs.


def test_a_server_without_pushed_requests_finds_no_more_than_before(drive: Drive) -> None:
    counts = []
    for site in (make_site(drive), pushing_site(drive)):
        counted = Counted(site)
        _ = site.approve(site.authorize())
        counts.append((counted.finds, counted.commits))

    assert counts[0] == counts[1]


def test_a_pushed_request_costs_one_find_more_where_it_is_used(drive: Drive) -> None:
    site = pushing_site(drive)
    request_uri, counted = pushed(site), Counted(site)
    plain = site.authorize()
    before = counted.finds
    assert handle_of(plain)

    _ = use(site, request_uri)

    assert (counted.finds - before, counted.commits) == (before + 1, 0)


def test_the_endpoint_may_be_elsewhere() -> None:
    site = pushing_site(paths=Paths(pushed_authorization_request="/oauth/par"))

    assert site.handle(attrs.evolve(push_request(), target="/oauth/par")).status == 201


def test_an_interaction_knows_its_pushed_request_by_a_digest(pushing: Site) -> None:
    request_uri = pushed(pushing)
    started = use(pushing, request_uri, pushing.alice)
    key = pushing.server.context().digest
    assert request_uri.removeprefix(REQUEST_URI) not in location(started)
    stored = pushing.world.storage.find(Interaction, key("interaction", Secret(handle_of(started))))

    assert isinstance(stored, Interaction)
    assert stored.request.pushed == key("pushed_request", Secret(request_uri.removeprefix(REQUEST_URI)))


def test_a_disabled_client_can_not_push(pushing: Site) -> None:
    run(pushing.server.clients.disable("public"), pushing.world)

    assert refused(push(pushing, "public"), "invalid_client")


def test_what_a_client_is_registered_with_is_in_its_metadata() -> None:
    read = read_metadata({"require_pushed_authorization_requests": True}, openid=False)

    assert read["require_pushed_authorization_requests"] is True
    assert metadata_of(BOUND)["require_pushed_authorization_requests"] is True
    assert "require_pushed_authorization_requests" not in metadata_of(Client(client_id="c"))
    assert PUBLIC.require_pushed_authorization_requests is False


def test_the_page_of_a_tab_says_that_its_request_was_answered_in_another(pushing: Site) -> None:
    request_uri = pushed(pushing)
    tabs = [use(pushing, request_uri) for _ in range(2)]
    _ = pushing.approve(tabs[0])

    assert pushing.drive(pushing.server.interactions.find(handle_of(tabs[1])), pushing.world) is None


# Clients that say themselves that they push.


@pytest.mark.parametrize("settings", [None, PushedRequests()])
def test_a_client_that_registers_itself_is_held_to_pushing_where_that_can_be(
    drive: Drive, settings: PushedRequests | None
) -> None:
    site = make_site(drive, registration=OPEN, pushed_requests=settings)

    answer = members(register(site, redirect_uris=[REDIRECT], require_pushed_authorization_requests=True))

    assert answer.get("require_pushed_authorization_requests", False) is (settings is not None)


def test_a_client_that_publishes_what_it_is_may_push_before_anything_else(drive: Drive) -> None:
    at = published(drive, pushed_requests=PushedRequests())
    at.hosts.publish(WEB, require_pushed_authorization_requests=True)
    body = form(client_id=WEB, redirect_uri=CALLBACK, response_type="code", **CHALLENGED)

    response = at.site.handle(Request("POST", "/par", (FORM,), body))

    assert response.status == 201
    assert at.hosts.asked == [WEB]
    assert params(at.site.approve(at.site.get(target(members(response)["request_uri"], WEB))))["code"]
    assert params(at.site.authorize(at.site.alice, client_id=WEB, redirect_uri=CALLBACK))["error"] == "invalid_request"


def test_a_document_that_is_none_is_no_client_that_pushes(drive: Drive) -> None:
    at = published(drive, pushed_requests=PushedRequests())
    body = form(client_id="https://app.example/none.json", redirect_uri=CALLBACK, response_type="code", **CHALLENGED)

    assert refused(at.site.handle(Request("POST", "/par", (FORM,), body)), "invalid_request")
