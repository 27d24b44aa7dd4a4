"""People of the provider for tests: who signs in, what they allow, and how they go back to the client."""

from __future__ import annotations

import pytest

from oauthcore import Client, Request
from oauthcore.jose.strict_json import parse_object
from oauthcore_mock import ALICE, Browser, Issuer, NotSentBack, Provider, RegisteredClient, User
from tests.plugin.relying_party import REDIRECT, authorization_url, claims_of, get, members, post, redeem, tokens


def test_alice_signs_in_and_allows_everything_where_the_test_says_nothing(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    said = claims_of(tokens(issuer, client, browser)["id_token"])

    assert (said["sub"], said["email"], said["nonce"], said["aud"]) == (
        "alice",
        ALICE.claims["email"],
        "n",
        "test-client",
    )


def test_whoever_is_next_signs_in_once(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    issuer.next_login("bob", {"email": "bob@example.com", "roles": ["admin"]})

    first = tokens(issuer, client, browser)
    second = tokens(issuer, client, Browser(browser.provider))

    said = claims_of(first["id_token"])
    assert (said["sub"], said["email"], said["roles"]) == ("bob", "bob@example.com", ["admin"])
    assert claims_of(second["id_token"])["sub"] == "alice"


def test_userinfo_says_the_claims_that_no_scope_stands_for(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    issuer.next_login("bob", {"roles": ["admin"]})

    token = tokens(issuer, client, browser)["access_token"]

    assert parse_object(get(issuer, "/userinfo", token).body) == {"sub": "bob", "roles": ["admin"]}


def test_a_claim_of_a_user_takes_no_place_of_the_server_s_own(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    issuer.next_login("bob", {"iss": "https://other.example", "exp": 1})

    said = claims_of(tokens(issuer, client, browser)["id_token"])

    assert said["iss"] == issuer.url
    assert said["exp"] > 1


def test_access_tokens_say_what_a_user_has_for_them(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    issuer.next_login(User("bob", access_token_claims={"realm_access": {"roles": ["admin"]}}))

    answer = tokens(issuer, client, browser)

    assert claims_of(answer["access_token"])["realm_access"] == {"roles": ["admin"]}
    assert "realm_access" not in claims_of(answer["id_token"])


def test_a_server_s_own_function_adds_claims_as_in_production(provider: Provider) -> None:
    issuer = provider.issuer(extra_claims=lambda target: {"place": target.place, "sub_of": target.subject})

    answer = tokens(issuer, issuer.client(), Browser(provider))

    for name in ("access_token", "id_token"):
        assert {key: claims_of(answer[name])[key] for key in ("place", "sub_of")} == {"place": name, "sub_of": "alice"}


def test_a_person_allows_less_than_was_requested(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    url = authorization_url(issuer, scope="openid email profile")

    answer = redeem(issuer, client, browser.authorize(url, "bob", scope="openid email").code)

    assert members(answer)["scope"] == "openid email"


def test_a_person_who_denies_goes_back_with_an_error(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    callback = browser.deny(authorization_url(issuer))

    assert (callback.error, callback.state, callback.parameters["iss"]) == ("access_denied", "s", issuer.url)
    with pytest.raises(AssertionError, match="access_denied"):
        _ = callback.code


def test_the_next_one_denies_where_the_test_says_so(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    issuer.deny_next()

    assert browser.authorize(authorization_url(issuer)).error == "access_denied"
    assert browser.authorize(authorization_url(issuer)).error is None


def test_an_answer_comes_by_a_form_where_the_client_wants_that(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    callback = browser.authorize(authorization_url(issuer, response_mode="form_post"))

    assert (callback.method, callback.url) == ("POST", REDIRECT)
    assert callback.form == callback.parameters
    assert redeem(issuer, client, callback.code).status == 200


def test_an_answer_comes_in_the_fragment_where_a_token_is_in_it(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    callback = browser.authorize(authorization_url(issuer, response_type="id_token"))

    assert "#" in callback.url
    assert claims_of(callback.parameters["id_token"])["nonce"] == "n"


def test_who_has_signed_in_stays_signed_in_at_that_browser_alone(
    issuer: Issuer, client: RegisteredClient, browser: Browser, provider: Provider
) -> None:
    silent = authorization_url(issuer, prompt="none")
    browser.authorize(authorization_url(issuer), "bob")

    assert claims_of(members(redeem(issuer, client, browser.authorize(silent).code))["id_token"])["sub"] == "bob"
    assert Browser(provider).authorize(silent).error == "login_required"
    browser.forget()
    assert browser.authorize(silent).error == "login_required"


def test_who_is_said_to_be_next_is_signed_in_already_where_no_page_may_be_shown(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    issuer.next_login("bob")

    code = browser.authorize(authorization_url(issuer, prompt="none")).code

    assert claims_of(members(redeem(issuer, client, code))["id_token"])["sub"] == "bob"


def test_prompt_login_has_the_person_sign_in_anew(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    browser.authorize(authorization_url(issuer), "bob")
    issuer.clock.advance(600)

    callback = browser.authorize(authorization_url(issuer, prompt="login"), "bob")

    said = claims_of(members(redeem(issuer, client, callback.code))["id_token"])
    assert said["auth_time"] == pytest.approx(issuer.clock.now, abs=2)


def test_a_login_says_how_and_when(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    issuer.next_login("bob", acr="mfa", amr=["pwd", "otp"], auth_time=issuer.clock.now - 60)

    said = claims_of(tokens(issuer, client, browser)["id_token"])

    assert (said["acr"], said["amr"]) == ("mfa", ["pwd", "otp"])
    assert issuer.clock.now - said["auth_time"] == pytest.approx(60, abs=2)


def test_who_signs_out_goes_back_and_is_signed_out(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    hint = tokens(issuer, client, browser)["id_token"]
    url = f"{issuer.url}/end-session?id_token_hint={hint}&post_logout_redirect_uri=http://testserver/bye&state=x"

    assert browser.log_out(url) == "http://testserver/bye?state=x"
    assert browser.authorize(authorization_url(issuer, prompt="none")).error == "login_required"


def test_a_client_without_cookies_gets_its_answer_in_one_step(issuer: Issuer, client: RegisteredClient) -> None:
    target = authorization_url(issuer).removeprefix("http://127.0.0.1:9400")

    response = issuer.handle(Request("GET", target)).response

    assert (response.header("location") or "").startswith(f"{REDIRECT}?code=")


def test_a_client_learns_its_redirect_uri_and_holds_to_it(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    browser.authorize(authorization_url(issuer))

    with pytest.raises(NotSentBack, match="redirect_uri is not registered for this client"):
        browser.authorize(authorization_url(issuer, redirect_uri="https://attacker.example/"))


def test_a_client_that_is_registered_for_something_learns_nothing(issuer: Issuer, browser: Browser) -> None:
    issuer.client(redirect_uris=["https://app.example/cb"], scope="read")

    with pytest.raises(NotSentBack, match="not registered"):
        browser.authorize(authorization_url(issuer))
    url = authorization_url(issuer, redirect_uri="https://app.example/cb", scope="write", nonce=None)
    assert browser.authorize(url).error == "invalid_scope"


def test_somebody_waits_for_the_next_request_where_this_one_was_refused(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    issuer.next_login("bob")

    with pytest.raises(NotSentBack):
        browser.authorize(authorization_url(issuer, client_id="nobody"))

    assert claims_of(tokens(issuer, client, browser)["id_token"])["sub"] == "bob"


def test_a_removed_user_s_tokens_are_good_for_nothing(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    answer = tokens(issuer, client, browser)

    issuer.people.remove("alice")

    assert get(issuer, "/userinfo", answer["access_token"]).status == 401
    refreshed = post(issuer, "/token", client, grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert refreshed.status == 400


def test_a_service_gets_tokens_of_its_own(issuer: Issuer, client: RegisteredClient) -> None:
    response = post(issuer, "/token", client, grant_type="client_credentials", scope="jobs:run")

    said = claims_of(members(response)["access_token"])
    assert (said["client_id"], said["scope"]) == ("test-client", "jobs:run")


def test_a_token_is_for_the_resource_that_the_client_names(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    answer = tokens(issuer, client, browser, resource="https://api.example/mcp")

    assert "https://api.example/mcp" in claims_of(answer["access_token"])["aud"]


def test_a_client_may_register_itself(issuer: Issuer, browser: Browser) -> None:
    body = b'{"redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none"}'
    request = Request("POST", f"{issuer.base}/register", (("Content-Type", "application/json"),), body)

    registered = parse_object(issuer.handle(request).response.body)

    url = authorization_url(
        issuer,
        client_id=str(registered["client_id"]),
        redirect_uri="https://app.example/cb",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method="S256",
    )
    assert browser.authorize(url).code


def test_further_settings_are_those_of_a_client(issuer: Issuer) -> None:
    made = issuer.client("pairwise", public=True, redirect_uris=["https://app.example/"], subject_type="pairwise")

    assert isinstance(made.record, Client)
    assert (made.client_secret, made.record.subject_type) == (None, "pairwise")
