"""What a suite in another language says to the provider for tests, and how it is told what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_pydantic import OpenAPI

from oauthcore import Request, Response
from oauthcore_mock import Browser, Provider
from oauthcore_mock.control import DOCUMENT, Control
from oauthcore_mock.operations import OPERATIONS
from tests.plugin.relying_party import authorization_url, claims_of, get, post, redeem

URL = "http://localhost:9400"


@pytest.fixture
def provider() -> Provider:
    """Return a provider with one issuer."""
    made = Provider(URL)
    _ = made.issuer("shop")
    return made


@pytest.fixture
def control(provider: Provider) -> Control:
    """Return its control API."""
    return Control(provider, {"localhost:9400"})


def call(control: Control, method: str, path: str, members: object = None, **headers: str) -> Response:
    """Call an operation as a suite does."""
    given = {"host": "localhost:9400", **({} if members is None else {"content-type": "application/json"}), **headers}
    body = b"" if members is None else json.dumps(members).encode()
    return control.handle(Request(method, f"/_mock{path}", tuple(given.items()), body))


def answer(control: Control, method: str, path: str, members: object = None) -> Any:
    """Return the JSON that an operation answers, which has to go well."""
    response = call(control, method, path, members)
    assert response.status < 300, response.body
    return json.loads(response.body) if response.body else None


def detail(response: Response) -> str:
    """Return what a refusal says."""
    assert response.header("content-type") == "application/problem+json"
    said = json.loads(response.body)
    assert said["status"] == response.status
    return str(said["detail"])


def test_an_issuer_is_made_listed_and_removed(control: Control) -> None:
    made = answer(control, "POST", "/issuers", {"name": "bank", "audience": "https://api.example"})

    assert (made["name"], made["issuer"], made["metadata"]["issuer"]) == ("bank", f"{URL}/bank", f"{URL}/bank")
    assert [one["name"] for one in answer(control, "GET", "/issuers")] == ["shop", "bank"]
    assert answer(control, "DELETE", "/issuers/bank") is None
    assert [one["name"] for one in answer(control, "GET", "/issuers")] == ["shop"]


def test_a_client_and_a_login_are_used_by_the_next_authorization(provider: Provider, control: Control) -> None:
    _ = answer(
        *(control, "POST", "/issuers/shop/clients"),
        {"client_id": "web", "secret": "s" * 64, "redirect_uris": "http://testserver/callback"},
    )
    login = {"sub": "bob", "claims": {"email": "bob@example.com"}, "acr": "mfa", "amr": ["otp"], "auth_time": 17}
    assert answer(control, "POST", "/issuers/shop/logins", login) is None
    issuer = provider.issuer("shop")

    callback = Browser(provider).authorize(authorization_url(issuer, client_id="web"))

    form = {"grant_type": "authorization_code", "code": callback.code, "redirect_uri": "http://testserver/callback"}
    response = post(issuer, "/token", None, client_id="web", client_secret="s" * 64, **form)
    claims = claims_of(json.loads(response.body)["id_token"])
    assert (claims["sub"], claims["email"], claims["acr"], claims["amr"]) == ("bob", "bob@example.com", "mfa", ["otp"])
    assert claims["auth_time"] == 17


def test_a_user_denies(provider: Provider, control: Control) -> None:
    _ = provider.issuer("shop").client()
    _ = answer(control, "POST", "/issuers/shop/logins", {"deny": True})

    assert Browser(provider).authorize(authorization_url(provider.issuer("shop"))).error == "access_denied"


def test_users_are_added_and_removed(provider: Provider, control: Control) -> None:
    user = {"sub": "carol d", "claims": {"name": "Carol"}, "access_token_claims": {"roles": ["admin"]}}

    added = answer(control, "POST", "/issuers/shop/users", user)

    assert (added["claims"], added["access_token_claims"]) == ({"name": "Carol"}, {"roles": ["admin"]})
    token = provider.issuer("shop").token("carol d", scope="openid", aud=f"{URL}/shop")
    assert get(provider.issuer("shop"), "/userinfo", token).status == 200
    _ = answer(control, "DELETE", "/issuers/shop/users/carol%20d")
    assert get(provider.issuer("shop"), "/userinfo", token).status == 401


@pytest.mark.parametrize(
    ("fault", "status"),
    [("invalid_grant", 400), (502, 502), ({"slow": 0.5}, 200), ({"body": "{", "status": 418}, 418)],
    ids=["error", "status", "slow", "body"],
)
def test_the_next_request_meets_a_fault(fault: object, status: int, provider: Provider, control: Control) -> None:
    issuer = provider.issuer("shop")
    client = issuer.client()

    _ = answer(control, "POST", "/issuers/shop/faults", {"endpoint": "token", "fault": fault})

    assert len(answer(control, "GET", "/issuers/shop/faults")) == 1
    assert post(issuer, "/token", client, grant_type="client_credentials").status == status
    assert answer(control, "GET", "/issuers/shop/faults") == []


def test_faults_that_nothing_has_met_are_forgotten(control: Control) -> None:
    _ = answer(control, "POST", "/issuers/shop/faults", {"endpoint": "id_token", "fault": "expired", "times": 3})
    _ = answer(control, "DELETE", "/issuers/shop/faults")

    assert answer(control, "GET", "/issuers/shop/faults") == []


def test_tokens_of_each_kind_are_made(provider: Provider, control: Control) -> None:
    def make(**members: object) -> str:
        return str(answer(control, "POST", "/issuers/shop/tokens", members)["token"])

    access = make(sub="bob", scope="openid", claims={"roles": ["x"], "jti": None}, expires_in=-5)
    identity = make(kind="id_token", sub="bob", aud="web", nonce="n")
    logout = make(kind="logout_token", sub="bob", aud="web", claims={"extra": 1})

    claims = claims_of(access)
    assert (claims["sub"], claims["roles"], "jti" in claims) == ("bob", ["x"], False)
    assert claims["exp"] < provider.clock.now
    assert (claims_of(identity)["nonce"], claims_of(logout)["extra"]) == ("n", 1)


def test_a_token_is_revoked(provider: Provider, control: Control) -> None:
    token = provider.issuer("shop").token(scope="openid", aud=f"{URL}/shop")

    _ = answer(control, "POST", "/issuers/shop/revocations", {"token": token})

    assert get(provider.issuer("shop"), "/userinfo", token).status == 401


def test_keys_are_rotated(provider: Provider, control: Control) -> None:
    before = {key["kid"] for key in provider.issuer("shop").jwks["keys"]}

    _ = answer(control, "POST", "/issuers/shop/keys", {"keep_old": False})

    assert before.isdisjoint(key["kid"] for key in provider.issuer("shop").jwks["keys"])


def test_requests_are_listed_by_endpoint_and_forgotten(provider: Provider, control: Control) -> None:
    client = provider.issuer("shop").client()
    _ = post(provider.issuer("shop"), "/token", client, grant_type="client_credentials")
    _ = get(provider.issuer("shop"), "/jwks")

    (request,) = answer(control, "GET", "/issuers/shop/requests?endpoint=token")

    assert (request["method"], request["status"]) == ("POST", 200)
    assert request["parameters"]["grant_type"] == "client_credentials"
    assert len(answer(control, "GET", "/issuers/shop/requests")) == 2
    _ = answer(control, "DELETE", "/issuers/shop/requests")
    assert answer(control, "GET", "/issuers/shop/requests") == []


def test_time_passes_for_all_issuers(provider: Provider, control: Control) -> None:
    before = answer(control, "GET", "/clock")["now"]

    assert answer(control, "POST", "/clock", {"advance": 3600})["now"] >= before + 3600
    assert provider.issuer("shop").clock.now >= before + 3600
    assert answer(control, "DELETE", "/clock")["now"] < before + 3600


@pytest.mark.parametrize(
    ("path", "members", "said"),
    [
        ("/issuers/shop/clients", {}, "client_id"),
        ("/issuers/shop/clients", {"client_id": 3}, "give text"),
        ("/issuers/shop/clients", {"client_id": "web", "colour": "red"}, "use client_id, secret"),
        ("/issuers/shop/clients", {"client_id": "web", "settings": {"colour": "red"}}, "settings.colour"),
        ("/issuers/shop/clients", {"client_id": "web", "settings": {"grant_types": ["what"]}}, "grant_types"),
        ("/issuers/shop/clients", {"client_id": "web", "redirect_uris": "what is that"}, "redirect_uris"),
        ("/issuers/shop/logins", {"auth_time": True}, "whole number"),
        ("/issuers/shop/faults", {"endpoint": "tokens", "fault": 500}, "use one of authorization"),
        ("/issuers/shop/faults", {"endpoint": "token", "fault": {"slow": "much"}}, "slow"),
        ("/issuers/shop/faults", {"endpoint": "token", "fault": 500, "times": 0}, "1 or more"),
        ("/issuers/shop/tokens", {"kind": "cookie"}, "use one of access_token"),
        ("/issuers/shop/tokens", {"nonce": "n"}, "no access_token has it"),
        ("/issuers/shop/tokens", {"flaw": "nothing"}, "flaw"),
        ("/issuers/shop/tokens", {"alg": "XX512"}, "alg"),
        ("/issuers", {"name": "a b"}, "issuer"),
        ("/clock", {"advance": "an hour"}, "whole number"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
def test_what_is_wrong_is_named(path: str, members: dict[str, object], said: str, control: Control) -> None:
    response = call(control, "POST", path, members)

    assert response.status == 400
    assert said in detail(response)


def test_a_body_that_is_no_json_object_is_refused(control: Control) -> None:
    for body in (b"{", b"[]", b'{"a": 1, "a": 2}', b"\xff"):
        headers = (("host", "localhost:9400"), ("content-type", "application/json"))
        assert control.handle(Request("POST", "/_mock/clock", headers, body)).status == 400


def test_a_page_of_another_site_is_kept_out(control: Control) -> None:
    """What a page may send to another origin without asking is no JSON (Fetch section 4.8)."""
    simple = call(control, "POST", "/clock", {"advance": 1}, **{"content-type": "text/plain"})
    preflight = call(control, "OPTIONS", "/clock", None, origin="https://evil.example")

    assert simple.status == 415
    assert preflight.status == 405
    assert preflight.header("access-control-allow-origin") is None


def test_a_name_that_an_attacker_points_here_is_refused(control: Control) -> None:
    assert call(control, "GET", "/clock", None, host="evil.example:9400").status == 421
    assert call(control, "GET", "/clock", None, host="LOCALHOST:9400").status == 200


def test_what_is_not_there_is_said(control: Control) -> None:
    assert "/_mock/openapi.json" in detail(call(control, "GET", "/nothing"))
    missing = call(control, "POST", "/issuers/none/users", {"sub": "bob"})
    assert (missing.status, "POST /_mock/issuers" in detail(missing)) == (404, True)
    wrong = call(control, "PUT", "/clock")
    assert (wrong.status, wrong.header("allow")) == (405, "GET, POST, DELETE")


def test_every_operation_is_in_the_openapi_document(control: Control) -> None:
    response = control.handle(Request("GET", DOCUMENT, (("host", "localhost:9400"),)))

    document = json.loads(response.body)
    described = OpenAPI.model_validate(document)
    assert described.paths is not None
    named = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert named == {operation.name for operation in OPERATIONS}


def test_every_fault_and_redirect_of_the_issuer_still_works_beside_it(provider: Provider, control: Control) -> None:
    issuer = provider.issuer("shop")
    client = issuer.client()

    code = Browser(provider).authorize(authorization_url(issuer)).code

    assert redeem(issuer, client, code).status == 200
    assert len(answer(control, "GET", "/issuers/shop/requests?endpoint=token")) == 1
