"""How clients of an issuer for tests get tokens beside logins: devices, exchanges, assertions, pushed requests."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from oauthcore import Paths, Request, Response
from oauthcore_mock import Browser, Issuer, NotSentBack, Provider, RegisteredClient
from oauthcore_mock.control import Control

GRANT = "urn:ietf:params:oauth:grant-type:"
TYPE = "urn:ietf:params:oauth:token-type:"
FORM = ("content-type", "application/x-www-form-urlencoded")


def post(issuer: Issuer, path: str, client: RegisteredClient, **form: str) -> dict[str, Any]:
    """Post a form as a client, and return the answer."""
    form = {"client_id": client.client_id, "client_secret": client.client_secret or "", **form}
    request = Request("POST", issuer.base + path, (FORM,), urlencode(form).encode())
    answer: dict[str, Any] = json.loads(issuer.handle(request).response.body)
    return answer


def begin(issuer: Issuer, client: RegisteredClient) -> dict[str, Any]:
    """Begin as a device does."""
    return post(issuer, "/device_authorization", client, scope="openid email")


def ask(issuer: Issuer, client: RegisteredClient, codes: dict[str, Any]) -> dict[str, Any]:
    """Ask for the tokens of a device."""
    issuer.clock.advance(2)
    return post(issuer, "/token", client, grant_type=f"{GRANT}device_code", device_code=codes["device_code"])


def test_device_gets_tokens_once_its_user_has_opened_the_link(
    issuer: Issuer, client: RegisteredClient, browser: Browser
) -> None:
    codes = begin(issuer, client)
    before = ask(issuer, client, codes)

    browser.connect_device(codes["verification_uri_complete"], "bob")

    assert before["error"] == "authorization_pending"
    assert ask(issuer, client, codes)["scope"] == "openid email"


def test_user_allows_a_device_less_or_nothing(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    some, none = begin(issuer, client), begin(issuer, client)

    browser.connect_device(some["verification_uri_complete"], scope="email")
    browser.connect_device(none["verification_uri_complete"], denies=True)

    assert ask(issuer, client, some)["scope"] == "email"
    assert ask(issuer, client, none)["error"] == "access_denied"


def test_next_login_answers_a_device_in_any_browser(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    codes = begin(issuer, client)
    issuer.deny_next()

    assert browser.visit(codes["verification_uri_complete"]).status == 200
    assert ask(issuer, client, codes)["error"] == "access_denied"


def test_code_that_no_device_has_shown_is_refused(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    with pytest.raises(NotSentBack, match="400"):
        browser.connect_device(f"{issuer.url}/device?user_code=BCDF-GHJK")


def test_page_asks_for_the_code_and_for_the_user(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    codes = begin(issuer, client)
    page = browser.visit(codes["verification_uri"])
    body = urlencode({"user_code": codes["user_code"], "sub": "carol", "allow": "1"}).encode()
    answer = issuer.handle(Request("POST", f"{issuer.base}/device", (FORM,), body)).response

    assert b'name="user_code"' in page.body
    assert b"carol has allowed it" in answer.body
    assert "access_token" in ask(issuer, client, codes)


def test_form_is_shown_for_a_code_where_people_see_pages(provider: Provider) -> None:
    issuer = provider.issuer(shows_form=True)
    codes = begin(issuer, issuer.client())
    path = codes["verification_uri_complete"].removeprefix(provider.url)
    page = issuer.handle(Request("GET", path)).response

    assert codes["user_code"].encode() in page.body
    assert b"Deny" in page.body


def test_device_endpoint_fails_on_demand(issuer: Issuer, client: RegisteredClient) -> None:
    issuer.fail_next("device_authorization", "invalid_scope")

    assert begin(issuer, client)["error"] == "invalid_scope"


def test_token_is_exchanged_for_one_for_another_api(issuer: Issuer, client: RegisteredClient) -> None:
    subject = issuer.token("bob", scope="email", aud="https://gateway.example")
    answer = post(
        issuer,
        "/token",
        client,
        grant_type=f"{GRANT}token-exchange",
        subject_token=subject,
        subject_token_type=f"{TYPE}access_token",
        audience="https://api.example",
    )
    seen = post(issuer, "/introspect", client, token=answer["access_token"])

    assert answer["issued_token_type"] == f"{TYPE}access_token"
    assert (seen["sub"], seen["aud"]) == ("bob", ["https://api.example"])
    assert seen["act"]["sub"].startswith(client.client_id)


@pytest.mark.parametrize("by_name", [True, False])
def test_assertion_of_a_trusted_issuer_is_exchanged(provider: Provider, by_name: bool) -> None:
    idp = provider.issuer()
    issuer = provider.issuer(trusts=idp.base.removeprefix("/") if by_name else [idp])
    client = issuer.client()
    assertion = idp.assertion("bob", aud=issuer.url)
    answer = post(issuer, "/token", client, grant_type=f"{GRANT}jwt-bearer", assertion=assertion, scope="email")

    assert post(issuer, "/introspect", client, token=answer["access_token"])["sub"] == "bob"


def test_id_jag_of_a_trusted_issuer_is_exchanged(provider: Provider) -> None:
    idp = provider.issuer()
    issuer = provider.issuer(trusts=[idp])
    client = issuer.client()
    claims = {"client_id": client.client_id, "resource": "https://api.example/mcp", "scope": "email"}
    assertion = idp.assertion("bob", aud=issuer.url, claims=claims, typ="oauth-id-jag+jwt")
    answer = post(issuer, "/token", client, grant_type=f"{GRANT}jwt-bearer", assertion=assertion)
    seen = post(issuer, "/introspect", client, token=answer["access_token"])

    assert (seen["sub"], seen["aud"]) == ("bob", ["https://api.example/mcp"])


@pytest.mark.parametrize("flaw", ["expired", "bad_signature", "wrong_audience", "unsigned"])
def test_assertion_with_a_flaw_is_refused(provider: Provider, flaw: Any) -> None:
    idp = provider.issuer()
    issuer = provider.issuer(trusts=[idp])
    assertion = idp.assertion("bob", aud=issuer.url, flaw=flaw)
    answer = post(issuer, "/token", issuer.client(), grant_type=f"{GRANT}jwt-bearer", assertion=assertion)

    assert answer["error"] == "invalid_grant"


def test_issuer_that_trusts_none_offers_no_assertions(issuer: Issuer, provider: Provider) -> None:
    assert f"{GRANT}jwt-bearer" not in issuer.metadata["grant_types_supported"]
    assert f"{GRANT}jwt-bearer" in provider.issuer(trusts=[issuer]).metadata["grant_types_supported"]


def test_request_is_pushed(issuer: Issuer, client: RegisteredClient, browser: Browser) -> None:
    asked = {"response_type": "code", "scope": "openid", "redirect_uri": "https://app.example/cb", "state": "s"}
    pushed = post(issuer, "/par", client, **asked)
    query = urlencode({"client_id": client.client_id, "request_uri": pushed["request_uri"]})

    assert browser.authorize(f"{issuer.url}/authorize?{query}", "bob").state == "s"


def test_client_is_known_by_its_document() -> None:
    document = {
        "client_id": "http://localhost:3000/client.json",
        "redirect_uris": ["http://localhost:3000/callback"],
        "token_endpoint_auth_method": "none",
        "client_name": "App",
    }
    body = json.dumps(document).encode()
    headers = (("Content-Type", "application/json"),)
    provider = Provider("http://127.0.0.1:9400", fetch=lambda _: Response(200, headers, body))
    issuer = provider.issuer(reads_client_documents=True)
    query = {
        "client_id": document["client_id"],
        "response_type": "code",
        "redirect_uri": "http://localhost:3000/callback",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }

    assert Browser(provider).authorize(f"{issuer.url}/authorize?{urlencode(query)}", "bob").code
    assert issuer.metadata["client_id_metadata_document_supported"] is True


def test_endpoints_are_where_another_provider_has_them(provider: Provider) -> None:
    issuer = provider.issuer(paths=Paths(authorization="/oauth/authorize", token="/oauth/token"))
    issuer.fail_next("token", 503)

    assert issuer.metadata["token_endpoint"] == f"{issuer.url}/oauth/token"
    assert issuer.handle(Request("POST", f"{issuer.base}/oauth/token")).response.status == 503


def call(provider: Provider, path: str, **members: object) -> dict[str, Any]:
    """Post to the control API."""
    headers = (("content-type", "application/json"), ("host", "127.0.0.1:9400"))
    request = Request("POST", f"/_mock{path}", headers, json.dumps(members).encode())
    answer: dict[str, Any] = json.loads(Control(provider, None).handle(request).body)
    return answer


def test_control_api_makes_an_issuer_that_trusts_another_and_an_assertion(provider: Provider) -> None:
    idp = provider.issuer()
    name = idp.base.removeprefix("/")
    issuer = provider.issuer_at(call(provider, "/issuers", trusts=[name])["issuer"])
    assertion = call(provider, f"/issuers/{name}/tokens", kind="assertion", sub="bob", aud=issuer.url)["token"]
    answer = post(issuer, "/token", issuer.client(), grant_type=f"{GRANT}jwt-bearer", assertion=assertion)

    assert answer["token_type"] == "Bearer"
    assert "aud" in call(provider, f"/issuers/{name}/tokens", kind="assertion")["detail"]
