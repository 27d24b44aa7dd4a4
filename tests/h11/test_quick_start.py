"""The quick start over a real socket: with httpx, by the curl lines, and by two clients that others wrote."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from requests_oauthlib import OAuth2Session

from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from oauthcore_h11.announcement import PAYMENT_DETAILS
from oauthcore_h11.demo import Demo
from tests.h11.person import Person, query_of
from tests.pages.html import Page
from tests.processes import run as run_process

pytestmark = pytest.mark.slow

REDIRECT_URI = "https://www.example.com/redirect"
AUTHORIZE = (
    "/oauth/authorize?client_id=test_client&redirect_uri=https%3A%2F%2Fwww.example.com%2Fredirect"
    "&response_type=code&state=somestate&scope=email"
)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
TEST_CLIENT = ("test_client", "password")

# The two commands of the quick start, to the letter.
REDEEM = """\
curl localhost:8000/oauth/tokenize \\
    -u 'test_client:password' \\
    -d 'grant_type=authorization_code' \\
    -d 'code=EJKOGQhY7KcWjNGI2UbCnOrqAGtRiCEJnAYNwYJ8M5'\\
    -d 'redirect_uri=https://www.example.com/redirect'
"""
REFRESH = """\
curl localhost:8000/oauth/tokenize \\
    -u 'test_client:password' \\
    -d 'grant_type=refresh_token' \\
    -d 'refresh_token=iJD7Yf4SFuSljmXOhyfjfZelc5J0uIe2P4hwGm4wORCDJyrT'
"""


def is_token_answer(answer: dict[str, Any], scope: str = "email") -> bool:
    """Return whether an answer is the quick start's."""
    stated = {"expires_in": 300, "refresh_token_expires_in": 900, "scope": scope, "token_type": "Bearer"}
    return stated == {name: answer[name] for name in stated} and bool(answer["access_token"] != answer["refresh_token"])


def post(person: Person, path: str, auth: tuple[str, str] | None = TEST_CLIENT, **form: str) -> httpx.Response:
    return httpx.post(person.issuer + path, data=form, auth=auth, trust_env=False)


def redeem(person: Person, code: str) -> httpx.Response:
    return post(person, "/oauth/tokenize", grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)


def test_person_signs_in_and_allows_and_the_code_reaches_the_client(demo: Demo, person: Person) -> None:
    ended = person.open(AUTHORIZE)

    assert person.pages == ["/login", "/approve"]
    assert ended.startswith(f"{REDIRECT_URI}?")
    answer = query_of(ended)
    assert answer.pop("code")
    assert answer == {"state": "somestate", "iss": demo.server.issuer}


def test_person_who_denies_is_sent_back_with_an_error(demo: Demo, person: Person) -> None:
    answer = query_of(person.open(AUTHORIZE, allow=False))

    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "somestate", demo.server.issuer)
    assert "code" not in answer


def test_code_is_redeemed_and_the_tokens_are_refreshed(person: Person) -> None:
    first = redeem(person, query_of(person.open(AUTHORIZE))["code"])
    refresh_token = first.json()["refresh_token"]
    second = post(person, "/oauth/tokenize", grant_type="refresh_token", refresh_token=refresh_token)

    assert is_token_answer(first.json())
    assert is_token_answer(second.json())
    assert first.json()["access_token"] != second.json()["access_token"]
    assert first.headers["cache-control"] == "no-store"


def test_code_is_redeemed_once(person: Person) -> None:
    code = query_of(person.open(AUTHORIZE))["code"]
    first = redeem(person, code)

    second = redeem(person, code)

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


def test_person_who_allowed_before_is_asked_again_and_may_deny(person: Person) -> None:
    person.open(AUTHORIZE)
    person.pages.clear()

    assert query_of(person.open(AUTHORIZE, allow=False))["error"] == "access_denied"

    assert person.pages == ["/approve"]


def test_person_who_has_it_remembered_is_not_asked_again(person: Person) -> None:
    person.open(AUTHORIZE, remember=True)
    person.pages.clear()

    assert query_of(person.open(AUTHORIZE))["code"]

    assert person.pages == []


def test_person_who_leaves_a_box_unticked_allows_less(person: Person) -> None:
    code = query_of(person.open(AUTHORIZE.replace("scope=email", "scope=email%20profile"), scope=["profile"]))["code"]

    assert is_token_answer(redeem(person, code).json(), scope="profile")


def test_resource_server_learns_of_the_token_until_it_is_revoked(person: Person) -> None:
    service = ("service_client", "service-password")
    token = redeem(person, query_of(person.open(AUTHORIZE))["code"]).json()["access_token"]

    live = post(person, "/oauth/introspect", service, token=token).json()
    revoked = post(person, "/oauth/revoke", token=token)
    dead = post(person, "/oauth/introspect", service, token=token).json()

    assert (live["active"], live["sub"], live["client_id"]) == (True, "admin", "test_client")
    assert revoked.status_code == 200
    assert dead == {"active": False}


def test_till_gets_its_tokens_once_the_person_has_allowed_it_on_their_page(person: Person) -> None:
    till = ("till_client", "till-password")
    asked = {"scope": "openid email", "login_hint": "admin", "binding_message": "W4SCT"}
    begun = post(person, "/oauth/bc-authorize", till, **asked).json()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    page = Page.of(person.http.get("/login").text)
    person.http.post("/login", content=page.submission(("username", "admin"), ("password", "admin")), headers=form)
    assert 'href="/requests"' in person.http.get("/account").text
    page = Page.of(person.http.get("/requests").text)
    assert "W4SCT" in page.text

    ticked = (("scope", "openid"), *page.checkboxes, ("approval", "1"))
    person.http.post("/requests", content=page.submission(*ticked), headers=form)

    redeemed = {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": begun["auth_req_id"]}
    assert post(person, "/oauth/tokenize", till, **redeemed).json()["scope"] == "openid email"


def test_a_payment_is_shown_and_stands_in_the_tokens(person: Person) -> None:
    detail = json.loads(PAYMENT_DETAILS)[0]
    page = person.http.get(
        f"{AUTHORIZE}&{urlencode({'authorization_details': PAYMENT_DETAILS})}", follow_redirects=True
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    login = Page.of(page.text).submission(("username", "admin"), ("password", "admin"))
    consent = Page.of(person.http.post("/login", content=login, headers=form, follow_redirects=True).text)
    assert "Pay 12.50 EUR to Shop" in consent.text

    allowed = consent.submission(*consent.checkboxes, ("approval", "1"))
    answer = person.http.post("/approve", content=allowed, headers=form)
    back = person.http.get(answer.headers["location"])

    tokens = redeem(person, query_of(back.headers["location"])["code"]).json()
    assert tokens["authorization_details"] == [detail]


def test_service_gets_a_token_of_its_own(person: Person) -> None:
    service = ("service_client", "service-password")

    answer = post(person, "/oauth/tokenize", service, grant_type="client_credentials").json()

    assert answer["scope"] == "read write"
    assert "refresh_token" not in answer


def test_public_client_goes_with_pkce_to_a_loopback_port_of_its_choice(person: Person) -> None:
    """RFC 8252 section 7.3."""
    redirect_uri = "http://127.0.0.1:51004/callback"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": "public_client",
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "email",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }

    ended = person.open(f"/oauth/authorize?{urlencode(query)}")
    answer = post(
        person,
        "/oauth/tokenize",
        None,
        grant_type="authorization_code",
        client_id="public_client",
        code=query_of(ended)["code"],
        redirect_uri=redirect_uri,
        code_verifier=VERIFIER,
    )

    assert ended.startswith(f"{redirect_uri}?code=")
    assert is_token_answer(answer.json())


def test_public_client_without_pkce_is_sent_back(person: Person) -> None:
    query = {"client_id": "public_client", "redirect_uri": "http://127.0.0.1:9/callback", "response_type": "code"}

    assert query_of(person.open(f"/oauth/authorize?{urlencode(query)}"))["error"] == "invalid_request"


def test_unregistered_redirect_uri_ends_on_the_error_page(person: Person) -> None:
    query = {"client_id": "test_client", "redirect_uri": "https://evil.example/", "response_type": "code"}

    response = person.http.get(f"/oauth/authorize?{urlencode(query)}")

    assert response.status_code == 400
    assert "The request was refused." in response.text
    assert "invalid_request" in response.text
    # The demo's clients are in developer mode, so that the page says what was sent; nothing leads there.
    assert 'href="https://evil.example' not in response.text


def test_metadata_names_the_addresses_that_the_demo_prints(demo: Demo, person: Person) -> None:
    addresses = demo.addresses()

    document = person.http.get("/.well-known/oauth-authorization-server").json()

    shared = {name: url for name, url in addresses.items() if name == "issuer" or name.endswith("_endpoint")}
    assert len(shared) == 9
    assert document == document | shared


def test_demo_answers_on_every_family_that_localhost_is(demo: Demo) -> None:
    port = demo.server.issuer.rpartition(":")[2]

    statuses = [httpx.get(f"http://{host}:{port}/login", trust_env=False).status_code for host in reachable(port)]

    assert set(statuses) == {200}


def reachable(port: str) -> list[str]:
    """Return the loopback addresses of this machine."""
    try:
        httpx.get(f"http://[::1]:{port}/", trust_env=False)
    except httpx.ConnectError:
        return ["127.0.0.1", "localhost"]
    return ["127.0.0.1", "localhost", "[::1]"]


def test_legacy_client_takes_a_password_for_a_token(legacy_demo: Demo) -> None:
    form = {"grant_type": "password", "username": "admin", "password": "admin"}
    auth = ("legacy_client", "legacy-password")

    answer = httpx.post(f"{legacy_demo.server.issuer}/oauth/tokenize", data=form, auth=auth, trust_env=False).json()

    assert (answer["scope"], answer["token_type"]) == ("email", "Bearer")


def test_legacy_client_takes_a_token_from_the_fragment(legacy_demo: Demo) -> None:
    query = "client_id=legacy_client&redirect_uri=https%3A%2F%2Fwww.example.com%2Flegacy&response_type=token"

    with Person(legacy_demo.server.issuer) as person:
        ended = person.open(f"/oauth/authorize?{query}")

    assert ended.startswith("https://www.example.com/legacy#access_token=")


def test_demo_that_is_not_legacy_does_not_know_the_legacy_client(person: Person) -> None:
    response = post(
        person,
        "/oauth/tokenize",
        ("legacy_client", "legacy-password"),
        grant_type="password",
        username="admin",
        password="admin",
    )

    assert response.status_code in {400, 401}


@pytest.fixture
def run_curl(demo: Demo) -> Callable[[str], dict[str, Any]]:
    """Return a way to run a command of the quick start against the demo's port."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here to run the quick start's own commands with")
    address = demo.server.issuer.removeprefix("http://")
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "localhost"}

    def run(command: str) -> dict[str, Any]:
        here = command.replace("localhost:8000", address).replace("curl ", "curl -sS ")
        done = run_process(["sh", "-c", here], capture_output=True, check=True, env=environment)
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    return run


def test_curl_lines_of_the_quick_start_work_as_they_stand(
    person: Person, run_curl: Callable[[str], dict[str, Any]]
) -> None:
    code = query_of(person.open(AUTHORIZE))["code"]

    first = run_curl(REDEEM.replace("EJKOGQhY7KcWjNGI2UbCnOrqAGtRiCEJnAYNwYJ8M5", code))
    second = run_curl(REFRESH.replace("iJD7Yf4SFuSljmXOhyfjfZelc5J0uIe2P4hwGm4wORCDJyrT", first["refresh_token"]))

    assert is_token_answer(first)
    assert is_token_answer(second)


def test_authlib_gets_refreshes_introspects_and_revokes_tokens(demo: Demo, person: Person) -> None:
    addresses = demo.addresses()
    with OAuth2Client(
        *TEST_CLIENT, redirect_uri=REDIRECT_URI, scope="email", code_challenge_method="S256", trust_env=False
    ) as client:
        url, state = client.create_authorization_url(addresses["authorization_endpoint"], code_verifier=VERIFIER)
        ended = person.open(url)

        first = client.fetch_token(
            addresses["token_endpoint"], authorization_response=ended, state=state, code_verifier=VERIFIER
        )
        second = client.refresh_token(addresses["token_endpoint"], refresh_token=first["refresh_token"])
        live = client.introspect_token(addresses["introspection_endpoint"], second["access_token"]).json()
        revoked = client.revoke_token(addresses["revocation_endpoint"], second["refresh_token"])
        dead = client.introspect_token(addresses["introspection_endpoint"], second["access_token"]).json()

    assert is_token_answer(first)
    assert is_token_answer(second)
    assert (live["active"], revoked.status_code, dead["active"]) == (True, 200, False)


def test_authlib_exchanges_a_token_of_another_client(demo: Demo, person: Person) -> None:
    """RFC 8693."""
    token = redeem(person, query_of(person.open(AUTHORIZE))["code"]).json()["access_token"]
    addresses = demo.addresses()
    with OAuth2Client("gateway_client", "gateway-password", trust_env=False) as gateway:
        exchanged = gateway.fetch_token(
            addresses["token_endpoint"],
            grant_type=GRANT_TYPE,
            subject_token=token,
            subject_token_type=TOKEN_TYPE + "access_token",
        )
        live = gateway.introspect_token(addresses["introspection_endpoint"], exchanged["access_token"]).json()

    assert (exchanged["scope"], exchanged["issued_token_type"]) == ("email", TOKEN_TYPE + "access_token")
    assert (live["sub"], live["aud"]) == ("admin", ["https://api.example.com"])
    assert live["act"] == {"sub": "gateway_client@clients"}


def test_requests_oauthlib_gets_and_refreshes_tokens(
    demo: Demo, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    addresses = demo.addresses()
    with OAuth2Session(TEST_CLIENT[0], redirect_uri=REDIRECT_URI, scope=["email"], pkce="S256") as client:
        client.trust_env = False
        url, _ = client.authorization_url(addresses["authorization_endpoint"])
        ended = person.open(url)

        first = client.fetch_token(
            addresses["token_endpoint"], authorization_response=ended, client_secret=TEST_CLIENT[1]
        )
        # It keeps what it got and changes it in place.
        first = dict(first)
        second = client.refresh_token(addresses["token_endpoint"], auth=TEST_CLIENT)

    assert is_token_answer(first | {"scope": " ".join(first["scope"])})
    assert is_token_answer(second | {"scope": " ".join(second["scope"])})
    assert first["refresh_token"] != second["refresh_token"]
