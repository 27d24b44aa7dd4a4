"""What goes wrong once, because a test wants it so, and what was asked meanwhile."""

from __future__ import annotations

import json

import pytest

from oauthcore import ConfigurationError, Request
from oauthcore.jose.strict_json import parse_object
from oauthcore_mock import Body, Browser, FlawName, Issuer, NotSentBack, Provider, RegisteredClient, Slow
from tests.plugin.relying_party import authorization_url, claims_of, get, header_of, post, redeem, tokens


def test_an_endpoint_fails_once_with_an_oauth_error(issuer: Issuer, client: RegisteredClient) -> None:
    issuer.fail_next("token", "invalid_grant")

    refused = post(issuer, "/token", client, grant_type="client_credentials")

    assert (refused.status, parse_object(refused.body)["error"]) == (400, "invalid_grant")
    assert post(issuer, "/token", client, grant_type="client_credentials").status == 200


@pytest.mark.parametrize(
    ("code", "status"), [("invalid_client", 401), ("temporarily_unavailable", 503), ("slow_down", 400)]
)
def test_an_oauth_error_has_the_status_that_goes_with_it(
    code: str, status: int, issuer: Issuer, client: RegisteredClient
) -> None:
    issuer.fail_next("token", code)

    refused = post(issuer, "/token", client, grant_type="client_credentials")

    assert (refused.status, parse_object(refused.body)["error"]) == (status, code)


def test_userinfo_refuses_by_a_challenge(issuer: Issuer) -> None:
    issuer.fail_next("userinfo", "invalid_token")

    refused = get(issuer, "/userinfo", issuer.token(scope="openid", aud=issuer.url))

    assert refused.status == 401
    assert 'error="invalid_token"' in (refused.header("www-authenticate") or "")


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_an_authorization_goes_back_with_an_error(
    mode: str, issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    issuer.fail_next("authorization", "server_error")

    callback = browser.authorize(authorization_url(issuer, response_mode=mode))

    assert (callback.error, callback.state, callback.parameters["iss"]) == ("server_error", "s", issuer.url)
    assert ("#" in callback.url, callback.method) == (mode == "fragment", "POST" if mode == "form_post" else "GET")


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://attacker.example/"}, {"client_id": "nobody"}])
def test_an_error_is_sent_to_nobody_but_the_client(changes: dict[str, str], issuer: Issuer, browser: Browser) -> None:
    issuer.client(redirect_uris=["https://app.example/cb"])
    issuer.fail_next("authorization", "server_error")

    with pytest.raises(NotSentBack):
        browser.authorize(authorization_url(issuer, **{"redirect_uri": "https://app.example/cb", **changes}))


@pytest.mark.parametrize("path", ["/a%20b/jwks", "/%00/jwks", "/é/jwks", "/", "//"])
def test_a_path_that_no_issuer_can_have_is_nobody_s(path: str) -> None:
    provider = Provider("http://127.0.0.1:9400", makes_issuers=True)

    assert provider.handle(Request("GET", path)).response.status == 404
    assert provider.handle(Request("GET", "/acme/jwks")).response.status == 200


def test_an_endpoint_answers_with_a_status_as_a_proxy_does(issuer: Issuer) -> None:
    issuer.fail_next("jwks", 502, times=2)

    assert [get(issuer, "/jwks").status for _ in range(3)] == [502, 502, 200]


def test_an_endpoint_answers_with_half_of_its_json(issuer: Issuer) -> None:
    issuer.fail_next("metadata", "malformed")

    response = get(issuer, "/.well-known/openid-configuration")

    assert response.status == 200
    with pytest.raises(ValueError, match="Expecting ':' delimiter"):
        json.loads(response.body)


def test_an_endpoint_answers_with_a_body_of_the_test_s_own(issuer: Issuer) -> None:
    issuer.fail_next("jwks", Body("<html>", 200, "text/html"))

    response = get(issuer, "/jwks")

    assert (response.body, response.header("content-type")) == (b"<html>", "text/html")


def test_an_endpoint_is_slow_and_answers_as_ever(issuer: Issuer) -> None:
    issuer.fail_next("jwks", Slow(2.5))

    reply = issuer.handle(Request("GET", f"{issuer.base}/jwks"))

    assert (reply.delay, reply.response.status) == (2.5, 200)


@pytest.mark.parametrize(
    ("flaw", "claim", "value"),
    [
        ("wrong_issuer", "iss", None),
        ("wrong_audience", "aud", None),
        ("wrong_nonce", "nonce", "of-another-request"),
        ("no_nonce", "nonce", None),
        ("wrong_at_hash", "at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("wrong_authorized_party", "azp", "another-client"),
    ],
)
def test_the_next_id_token_has_a_flaw_and_the_one_after_it_has_none(
    flaw: FlawName, claim: str, value: str | None, issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    right = claims_of(tokens(issuer, client, browser)["id_token"])[claim]
    issuer.fail_next("id_token", flaw)

    flawed = claims_of(tokens(issuer, client, browser)["id_token"])
    again = claims_of(tokens(issuer, client, browser)["id_token"])

    assert flawed.get(claim) != right
    assert value is None or flawed[claim] == value
    assert claim == "at_hash" or again[claim] == right


def test_the_next_access_token_is_signed_by_a_key_that_nobody_knows(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    issuer.fail_next("access_token", "unknown_kid")

    token = tokens(issuer, client, browser)["access_token"]

    assert header_of(token)["kid"] not in {key["kid"] for key in issuer.jwks["keys"]}


def test_the_next_access_token_is_revoked_at_once(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    issuer.fail_next("access_token", "revoked")

    token = tokens(issuer, client, browser)["access_token"]

    assert get(issuer, "/userinfo", token).status == 401
    assert get(issuer, "/userinfo", tokens(issuer, client, browser)["access_token"]).status == 200


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [("tokens", 500), ("id_token", "no such flaw"), ("access_token", "wrong_nonce"), ("id_token", "revoked")],
)
def test_a_fault_that_can_t_be_is_refused(endpoint: str, fault: str | int, issuer: Issuer) -> None:
    with pytest.raises(ConfigurationError, match="use one of"):
        issuer.fail_next(endpoint, fault)  # type: ignore[arg-type]  # as somebody without a type checker writes it


def test_faults_that_nobody_has_met_are_told(issuer: Issuer) -> None:
    issuer.fail_next("token", 500)

    assert issuer.faults.unmet == ["token: Status(status=500)"]
    issuer.faults.clear()
    assert issuer.faults.unmet == []


def test_what_was_asked_is_recorded_with_the_reason_of_a_refusal(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    code = browser.authorize(authorization_url(issuer)).code
    redeem(issuer, client, code)
    redeem(issuer, client, code)

    first, second = issuer.requests.of("token")
    assert (first.method, first.status, first.form["code"]) == ("POST", 200, code)
    assert (second.error, second.status) == ("invalid_grant", 400)
    assert "redeemed" in second.reason or "used" in second.reason
    assert [request.endpoint for request in issuer.requests] == ["authorization", "token", "token"]
    assert issuer.requests[0].query["state"] == "s"


def test_it_is_asserted_what_was_sent(issuer: Issuer, client: RegisteredClient) -> None:
    post(issuer, "/token", client, grant_type="client_credentials", scope="a")

    sent = issuer.requests.assert_sent("token", grant_type="client_credentials", scope="a", code=None)
    issuer.requests.assert_count("token", 1)

    assert sent == issuer.requests.last() == issuer.requests.last("token")
    with pytest.raises(AssertionError, match=r"these came:\n  POST .*/token -> 200"):
        issuer.requests.assert_sent("token", scope="b")
    with pytest.raises(AssertionError, match="1 requests came to token, and not 2"):
        issuer.requests.assert_count("token", 2)
    issuer.requests.clear()
    with pytest.raises(AssertionError, match="was asked nothing"):
        issuer.requests.last()


def test_the_provider_remembers_what_all_issuers_were_asked(issuer: Issuer, browser: Browser) -> None:
    get(issuer, "/jwks")

    assert browser.provider.requests.last("jwks").path == f"{issuer.base}/jwks"
