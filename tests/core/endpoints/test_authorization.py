"""The authorization endpoint."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit

import attrs
import pytest

from oauthcore import Login, Request
from tests.core.site import (
    CONFIDENTIAL,
    FORM,
    ISSUER,
    REDIRECT,
    Counted,
    Site,
    form,
    legacy_policy,
    location,
    make_site,
    params,
    refused_by_page,
)


def test_nobody_signed_in_is_sent_to_the_login_page(site: Site) -> None:
    response = site.authorize()

    assert response.status == 303
    assert location(response).startswith("/login?interaction=")
    assert response.header("cache-control") == "no-store"


def test_a_signed_in_person_who_has_not_consented_is_sent_to_the_consent_page(site: Site) -> None:
    assert location(site.authorize(site.alice)).startswith("/consent?interaction=")


def test_a_signed_in_person_who_has_consented_is_sent_back_at_once(site: Site) -> None:
    site.code()

    response = site.authorize(site.alice)

    assert location(response).startswith(REDIRECT + "?code=")


def test_more_than_was_consented_to_is_asked_for(site: Site) -> None:
    site.code(scope="email")

    assert location(site.authorize(site.alice, scope="email profile")).startswith("/consent?")


def test_consents_add_up(site: Site) -> None:
    site.code(scope="email")
    site.code(scope="profile")

    assert "code=" in location(site.authorize(site.alice, scope="email profile"))


def test_one_persons_consent_is_not_anothers(site: Site) -> None:
    site.code()

    assert location(site.authorize(Login(subject="bob", auth_time=site.now))).startswith("/consent?")


def test_consent_to_one_client_is_none_to_another(site: Site) -> None:
    site.code()

    response = site.authorize(site.alice, client_id="other", redirect_uri="https://other.example/cb")

    assert location(response).startswith("/consent?")


def test_consent_is_forgotten_after_its_lifetime(site: Site) -> None:
    site.code()
    site.clock.advance(365 * 86_400)

    assert location(site.authorize(site.alice)).startswith("/consent?")


@pytest.mark.parametrize(
    ("redirect_uri", "remembered"), [("https://public.example/cb", True), ("http://127.0.0.1:8123/cb", False)]
)
def test_a_public_client_that_anybody_could_impersonate_is_not_taken_at_a_remembered_word(
    site: Site, redirect_uri: str, remembered: bool
) -> None:
    """RFC 8252 section 8.6."""
    site.code(client_id="public", redirect_uri=redirect_uri)

    response = site.authorize(site.alice, client_id="public", redirect_uri=redirect_uri)

    assert ("code=" in location(response)) == remembered


@pytest.mark.parametrize(("response_type", "remembered"), [("code", True), ("token", False)])
def test_a_client_that_does_not_authenticate_for_what_it_gets_can_be_impersonated_too(
    response_type: str, remembered: bool
) -> None:
    """RFC 6749 section 10.2: a secret is none of the answer to the implicit grant."""
    native = attrs.evolve(
        CONFIDENTIAL,
        redirect_uris=("http://127.0.0.1/cb",),
        grant_types=("authorization_code", "implicit"),
        response_types=("code", "token"),
    )
    site = make_site(policy=legacy_policy(), clients=(native,))
    site.approve(site.authorize(redirect_uri="http://127.0.0.1/cb", response_type=response_type))

    response = site.authorize(site.alice, redirect_uri="http://127.0.0.1:6666/cb", response_type=response_type)

    assert location(response).startswith("http://127.0.0.1:6666/cb") == remembered


def test_prompt_none_with_nobody_signed_in_is_login_required(site: Site) -> None:
    """OIDC Core section 3.1.2.6."""
    assert params(site.authorize(prompt="none"))["error"] == "login_required"


def test_prompt_none_without_consent_is_consent_required(site: Site) -> None:
    assert params(site.authorize(site.alice, prompt="none"))["error"] == "consent_required"


def test_prompt_none_with_login_and_consent_is_answered(site: Site) -> None:
    site.code()

    assert "code" in params(site.authorize(site.alice, prompt="none"))


def test_prompt_login_asks_even_who_is_signed_in(site: Site) -> None:
    site.code()

    assert location(site.authorize(site.alice, prompt="login")).startswith("/login?")


def test_prompt_consent_asks_even_who_has_consented(site: Site) -> None:
    site.code()

    assert location(site.authorize(site.alice, prompt="consent")).startswith("/consent?")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "nobody"}, "unknown"),
        ({"client_id": None}, "client_id is missing"),
        ({"redirect_uri": "https://attacker.example/"}, "not registered"),
        ({"redirect_uri": REDIRECT + "#x"}, "not registered"),
        ({"client_id": "public", "redirect_uri": None}, "not exactly one"),
    ],
)
def test_whatever_fails_before_the_redirect_uri_is_proven_is_an_error_page(
    site: Site, changes: dict[str, str | None], reason: str
) -> None:
    assert refused_by_page(site.authorize(**changes), reason)  # type: ignore[arg-type]  # no login among the changes


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "x"])
def test_a_repeated_parameter_is_an_error_page(site: Site, name: str) -> None:
    """RFC 6749 section 3.1."""
    assert refused_by_page(site.get(site.authorize_target(**{name: "a"}) + f"&{name}=a"), "repeated")


def test_a_repeated_resource_is_none(site: Site) -> None:
    """RFC 8707 section 2."""
    response = site.get(site.authorize_target() + "&resource=https://a.example&resource=https://b.example")

    assert response.status == 303


def test_an_unknown_parameter_is_ignored(site: Site) -> None:
    assert site.get(site.authorize_target(foo="bar")).status == 303


@pytest.mark.parametrize("name", ["display", "registration", "id_token_hint", "claims", "acr_values"])
def test_parameters_of_openid_connect_are_unknown_to_a_server_of_oauth_alone(site: Site, name: str) -> None:
    """RFC 6749 section 3.1."""
    assert location(site.get(site.authorize_target(**{name: "nonsense"}))).startswith("/login?interaction=")


def test_a_blank_parameter_is_an_absent_one(site: Site) -> None:
    assert "state" not in params(site.authorize(state="", scope="admin"))


def test_an_error_page_can_not_be_framed_and_repeats_nothing_of_the_request(site: Site) -> None:
    response = site.authorize(client_id="<script>alert(1)</script>")

    assert response.header("x-frame-options") == "DENY"
    assert "frame-ancestors 'none'" in (response.header("content-security-policy") or "")
    assert b"alert(1)" not in response.body
    assert b"invalid_request" in response.body


def test_posted_requests_read_the_form_and_not_the_query(site: Site) -> None:
    """RFC 6749 section 3.1."""
    body = site.authorize_target().partition("?")[2].encode()

    response = site.handle(Request("POST", "/authorize?client_id=nobody", (FORM,), body))

    assert location(site.get(location(response))).startswith("/login?")


@pytest.mark.parametrize("more", [{}, {"prompt": "none"}])
def test_a_form_of_another_site_comes_without_cookies_and_is_asked_for_again_by_get(
    site: Site, more: dict[str, str]
) -> None:
    """RFC 6265bis section 5.6.7.1: cookies that are Lax go with a GET only, and nobody is to sign in twice for that."""
    target = site.authorize_target(**more)
    posted = site.handle(Request("POST", "/authorize", (FORM,), target.partition("?")[2].encode()))

    assert posted.status == 303
    assert parse_qs(urlsplit(location(posted)).query) == parse_qs(urlsplit(target).query)
    assert posted.header("set-cookie") is None


def test_a_posted_request_that_is_too_long_for_a_url_is_answered_as_it_came(site: Site) -> None:
    body = site.authorize_target(state="%" * 2_500).partition("?")[2].encode()

    assert location(site.handle(Request("POST", "/authorize", (FORM,), body))).startswith("/login?")


def test_a_posted_request_that_comes_with_cookies_is_answered_at_once(site: Site) -> None:
    _ = site.authorize()
    body = site.authorize_target().partition("?")[2].encode()

    answer = site.post("/authorize", body, ("Cookie", site.cookie or ""))

    assert location(answer).startswith("/login?")


def test_a_posted_request_that_is_no_form_is_an_error_page(site: Site) -> None:
    response = site.handle(Request("POST", "/authorize", (("Content-Type", "application/json"),), b"{}"))

    assert refused_by_page(response, "content type")


def test_an_interaction_sets_a_cookie_that_scripts_and_other_hosts_can_not_touch(site: Site) -> None:
    cookie = site.authorize().header("set-cookie") or ""

    assert cookie.startswith("__Host-oauthcore-browser=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")


def test_a_browser_that_has_the_cookie_keeps_it_for_a_second_tab(site: Site) -> None:
    first = site.authorize()
    second = site.authorize(client_id="other", redirect_uri="https://other.example/cb")

    assert second.header("set-cookie") is None
    assert "code=" in location(site.approve(first))
    assert "code=" in location(site.approve(second))


def test_whoever_has_consented_costs_two_finds_and_a_commit(site: Site) -> None:
    site.code()
    counted = Counted(site)

    site.authorize(site.alice)

    assert (counted.finds, counted.commits) == (2, 1)


def test_the_answer_to_post_and_get_is_the_same(site: Site) -> None:
    site.code()
    values = {"client_id": "confidential", "response_type": "code", "scope": "admin", "redirect_uri": REDIRECT}

    got = site.get("/authorize?" + form(**values).decode())
    posted = site.handle(Request("POST", "/authorize", (FORM,), form(**values)))

    assert location(got) == location(posted)


def test_nothing_is_found_of_the_person_before_the_redirect_uri_is_known_to_be_the_clients(site: Site) -> None:
    counted = Counted(site)

    refused = site.authorize(site.alice, redirect_uri="https://attacker.example/")

    assert refused.status == 400
    assert counted.finds == 1  # the client


@pytest.mark.parametrize("state", ["x" * 2_000, "a%20b+c&d=e", "ä€😀"])
def test_b4_success_has_the_state_and_the_issuer_once_and_unchanged(site: Site, state: str) -> None:
    """RFC 9207 section 2."""
    answer = urlsplit(location(site.approve(site.authorize(None, state=state))))

    said = parse_qsl(answer.query, keep_blank_values=True)

    assert sorted(name for name, _ in said) == ["code", "iss", "state"]
    assert (dict(said)["state"], dict(said)["iss"]) == (state, ISSUER)


def test_b9_unknown_prompt_is_ignored_without_openid(site: Site) -> None:
    assert location(site.authorize(None, prompt="unknown")).startswith("/login")


def test_b1_posted_request_with_another_redirect_uri_is_an_error_page(site: Site) -> None:
    body = site.authorize_target(redirect_uri="https://evil.example/").partition("?")[2].encode()

    assert refused_by_page(site.post("/authorize", body), "redirect_uri")
