"""The OpenID Foundation's test plans for providers: config, basic, implicit, hybrid, form post.

One test for what each of their modules demands, under the module's name, against the reference server over TLS as its
operator has it with nothing but the file. What the suite only warns of fails here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from oauthcore.jose.jwk import parse_set
from oauthcore.openid import STANDARD_CLAIMS
from tests.pages.html import Page
from tests.relying_parties.browser import FORM, Browser
from tests.relying_parties.conftest import Provider, hashed, serving
from tests.relying_parties.suite import CALLBACK, SECRET, Answered, Suite

pytestmark = pytest.mark.slow

WITH_QUERY = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
ALL_SCOPES = "openid profile email address phone"
FRONT_CHANNEL = ["id_token", "id_token token", "code id_token", "code token", "code id_token token"]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

# What docs/openid.md tells an operator to write, and a person about whom everything is known.
CONFIGURATION = f"""
[policy]
allow = ["implicit"]

[oidc]

[[users]]
username = "alice"
password_hash = "{hashed("wonderland")}"

[users.claims]
name = "Alice Liddell"
given_name = "Alice"
family_name = "Liddell"
middle_name = "Pleasance"
nickname = "Al"
profile = "https://wonderland.example/alice"
picture = "https://wonderland.example/alice.png"
website = "https://wonderland.example"
gender = "female"
birthdate = "1852-05-04"
zoneinfo = "Europe/London"
locale = "en"
updated_at = 1700000000
email = "alice@wonderland.example"
email_verified = true
phone_number = "+44 20 7946 0000"
phone_number_verified = false
address = {{ street_address = "Christ Church", locality = "Oxford", country = "GB" }}
"""
CLIENT = """
[[clients]]
client_id = "{client_id}"
secret = "{secret}"
token_endpoint_auth_method = "{method}"
redirect_uris = ["{callback}", "{with_query}"]
grant_types = ["authorization_code", "refresh_token", "implicit"]
response_types = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"]
scope = "openid profile email address phone offline_access"
allow = ["confidential_without_pkce"]
id_token_claims = "requested"
"""


def client(client_id: str, method: str = "client_secret_basic") -> str:
    """Write a client's table."""
    return CLIENT.format(client_id=client_id, secret=SECRET, method=method, callback=CALLBACK, with_query=WITH_QUERY)


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Serve what the configuration says."""
    clients = [client("suite"), client("suite2"), client("suite-post", "client_secret_post")]
    with serving(tmp_path_factory.mktemp("conformance"), CONFIGURATION, *clients) as provider:
        yield provider


@pytest.fixture
def suite(op: Provider) -> Iterator[Suite]:
    """Return a suite with a fresh browser, that knows the issuer alone."""
    with Browser(op.issuer, op.trust) as browser:
        document = browser.http.get(f"{op.issuer}/.well-known/openid-configuration").json()
        yield Suite(browser, document)


def error_of(suite: Suite, answered: Answered) -> str:
    """Check that it is a proper refusal, and nothing else; give its code."""
    suite.check_state_and_iss(answered)
    parameters = answered.parameters
    assert set(parameters) <= {"error", "error_description", "error_uri", "state", "iss"}
    assert not set(parameters["error_description"]) & set('\r\n\t"\\')
    return parameters["error"]


# Config plan.


def test_oidcc_discovery_endpoint_verification(suite: Suite, op: Provider) -> None:
    response = suite.browser.http.get("/.well-known/openid-configuration")
    document = response.json()

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert document["issuer"] == op.issuer
    assert {"code", "id_token", "id_token token", *FRONT_CHANNEL} <= set(document["response_types_supported"])
    assert {"query", "fragment", "form_post"} <= set(document["response_modes_supported"])
    assert {"authorization_code", "implicit", "refresh_token"} <= set(document["grant_types_supported"])
    assert {"client_secret_basic", "client_secret_post"} <= set(document["token_endpoint_auth_methods_supported"])
    assert set(document["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "RS256" in document["request_object_signing_alg_values_supported"]
    assert set(ALL_SCOPES.split()) <= set(document["scopes_supported"])
    assert {"sub", *(name for names in STANDARD_CLAIMS.values() for name in names)} <= set(document["claims_supported"])
    assert document["claims_parameter_supported"] is True
    assert isinstance(document["code_challenge_methods_supported"], list)
    urls = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} <= set(urls)
    assert all(urlsplit(url).scheme == "https" and not urlsplit(url).fragment for url in urls.values())


def test_oidcc_server_jwks_hold_public_keys_alone_each_with_a_kid_of_its_own(suite: Suite) -> None:
    text = suite.browser.http.get(suite.document["jwks_uri"]).text

    keys = json.loads(text)["keys"]
    assert len(parse_set(text)) == len(keys) > 0
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(key["use"] == "sig" and not set(key) & {"d", "p", "q", "k"} for key in keys)


# Basic plan.


def test_oidcc_server(suite: Suite) -> None:
    tokens = suite.tokens()

    assert tokens["token_type"].lower() == "bearer"
    assert tokens["expires_in"] > 0
    assert suite.userinfo(tokens["access_token"]).json()["sub"] == suite.claims(tokens)["sub"]


def test_oidcc_server_token_response_is_json_that_nobody_keeps(suite: Suite) -> None:
    response = suite.redeem(suite.authorize())

    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"


def test_oidcc_response_type_missing(suite: Suite) -> None:
    answered = suite.authorize(response_type=None)

    assert error_of(suite, answered) in {"invalid_request", "unsupported_response_type"}
    assert answered.query == answered.parameters


def test_oidcc_idtoken_signature(suite: Suite) -> None:
    verified = suite.verified(suite.tokens()["id_token"])

    assert verified.header["alg"] == "RS256"


def test_oidcc_idtoken_unsigned_is_not_offered(suite: Suite) -> None:
    assert "none" not in suite.document["id_token_signing_alg_values_supported"]


def test_oidcc_userinfo_get(suite: Suite) -> None:
    response = suite.userinfo(suite.tokens()["access_token"])

    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"sub": "alice"}


def test_oidcc_userinfo_post_header(suite: Suite) -> None:
    headers = {"Authorization": f"Bearer {suite.tokens()['access_token']}"}

    assert suite.browser.http.post(suite.document["userinfo_endpoint"], headers=headers).json()["sub"] == "alice"


def test_oidcc_userinfo_post_body(suite: Suite) -> None:
    body = urlencode({"access_token": suite.tokens()["access_token"]})
    response = suite.browser.http.post(suite.document["userinfo_endpoint"], content=body, headers=FORM)

    assert response.json()["sub"] == "alice"


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: Suite) -> None:
    assert "nonce" not in suite.claims(suite.tokens(nonce=None))


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
def test_oidcc_scope_is_answered_with_every_claim_that_it_stands_for(suite: Suite, scope: str) -> None:
    tokens = suite.tokens(scope=f"openid {scope}")

    expected = {"sub", *(name for token in scope.split() for name in STANDARD_CLAIMS[token])}
    known = suite.userinfo(tokens["access_token"]).json()
    assert set(known) == expected
    for name, kind in (("email_verified", bool), ("phone_number_verified", bool), ("updated_at", int)):
        assert isinstance(known.get(name, kind()), kind)
    assert isinstance(known.get("address", {}), dict)


def test_oidcc_ensure_other_scope_order_succeeds(suite: Suite) -> None:
    assert "email" in suite.userinfo(suite.tokens(scope="email openid")["access_token"]).json()


@pytest.mark.parametrize(
    "asked",
    [
        {"display": "page"},
        {"display": "popup"},
        {"login_hint": "alice@wonderland.example"},
        {"ui_locales": "se"},
        {"ui_locales": "de-CH de en"},
        {"claims_locales": "se", "scope": "openid profile"},
        {"extra": "foobar"},
        {"code_challenge": CHALLENGE, "code_challenge_method": "S256"},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_oidcc_display_login_hint_ui_locales_claims_locales_and_unknown_parameters_succeed(
    suite: Suite, asked: dict[str, str]
) -> None:
    answered = suite.authorize(**asked)
    response = suite.redeem(answered, **({"code_verifier": VERIFIER} if "code_challenge" in asked else {}))

    assert response.status_code == 200


def test_oidcc_prompt_login(suite: Suite) -> None:
    first = suite.claims(suite.tokens())
    second = suite.claims(suite.tokens(prompt="login"))

    assert suite.has_signed_in
    # However fast she is: the second sign-in is another one, and her client can tell.
    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


def test_oidcc_prompt_none_not_logged_in(suite: Suite) -> None:
    answered = suite.authorize(prompt="none")

    assert error_of(suite, answered) == "login_required"
    assert answered.query == answered.parameters


@pytest.mark.parametrize("hints", [False, True], ids=["alone", "with-id-token-hint"])
def test_oidcc_prompt_none_logged_in_and_oidcc_id_token_hint(suite: Suite, *, hints: bool) -> None:
    tokens = suite.tokens()
    second = suite.claims(suite.tokens(prompt="none", id_token_hint=tokens["id_token"] if hints else None))

    first = suite.claims(tokens)
    assert suite.browser.visited == ["/authorize"]
    assert {name: second[name] for name in ("sub", "auth_time")} == {name: first[name] for name in ("sub", "auth_time")}


def test_oidcc_max_age_1_counts_from_when_she_signed_in(suite: Suite) -> None:
    first = suite.claims(suite.tokens())
    # Sooner than a second would pass: the least age that there is.
    second = suite.claims(suite.tokens(max_age="0"))

    assert suite.has_signed_in
    assert second["auth_time"] > first["auth_time"]


def test_oidcc_max_age_10000(suite: Suite) -> None:
    first = suite.claims(suite.tokens())
    second = suite.claims(suite.tokens(max_age="10000"))

    assert not suite.has_signed_in
    assert second["auth_time"] == first["auth_time"]


def test_oidcc_ensure_request_with_acr_values_succeeds(suite: Suite) -> None:
    acr_values = suite.document["acr_values_supported"]

    assert suite.claims(suite.tokens(acr_values=" ".join(acr_values)))["acr"] in acr_values


def test_oidcc_claims_essential(suite: Suite) -> None:
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})

    assert suite.userinfo(suite.tokens(claims=claims)["access_token"]).json()["name"] == "Alice Liddell"


def test_oidcc_codereuse_and_its_tokens_are_revoked(suite: Suite) -> None:
    answered = suite.authorize()
    tokens = suite.redeem(answered).json()
    assert suite.userinfo(tokens["access_token"]).status_code == 200

    again = suite.redeem(answered)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    refused = suite.userinfo(tokens["access_token"])
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


@pytest.mark.parametrize(
    "uri",
    [
        f"{CALLBACK}x",
        f"{CALLBACK}/",
        pytest.param(f"{CALLBACK}?foo=bar", id="oidcc-redirect-uri-query-added"),
        pytest.param(f"{CALLBACK}?dummy1=lorem&dummy2=dolor", id="oidcc-redirect-uri-query-mismatch"),
        pytest.param(None, id="oidcc-ensure-redirect-uri-in-authorization-request"),
    ],
)
def test_oidcc_ensure_registered_redirect_uri_shows_a_page(suite: Suite, uri: str | None) -> None:
    response = suite.ask_in_vain(redirect_uri=uri)

    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/html")
    said = "does not say where" if uri is None else "is none of those that the application is registered with"
    assert said in response.text
    assert "location" not in response.headers


def test_oidcc_redirect_uri_query_ok(suite: Suite) -> None:
    answered = suite.authorize(redirect_uri=WITH_QUERY)

    assert (answered.query["dummy1"], answered.query["dummy2"]) == ("lorem", "ipsum")
    assert suite.redeem(answered, redirect_uri=WITH_QUERY).status_code == 200


def test_oidcc_server_client_secret_post(suite: Suite) -> None:
    answered = Suite(suite.browser, suite.document, "suite-post").authorize()
    form = {
        "grant_type": "authorization_code",
        "code": answered.parameters["code"],
        "redirect_uri": CALLBACK,
        "client_id": "suite-post",
        "client_secret": SECRET,
    }
    response = suite.browser.http.post(suite.document["token_endpoint"], content=urlencode(form), headers=FORM)

    assert response.status_code == 200


def unsigned(asked: dict[str, str]) -> str:
    """Make a request object without a signature, as the suite does."""
    parts = [{"alg": "none"}, asked]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(suite: Suite) -> None:
    _, asked = suite.url()

    answered = suite.authorize(request=unsigned(asked))

    assert "none" not in suite.document["request_object_signing_alg_values_supported"]
    assert error_of(suite, answered) == "request_not_supported"


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(suite: Suite) -> None:
    answered = suite.authorize(request_uri="https://suite.example/test/a/oauthcore/requestobject")

    # What may be fetched is registered beforehand (OIDC Core section 6.2), and this isn't.
    assert suite.document["require_request_uri_registration"] is True
    assert error_of(suite, answered) == "invalid_request_uri"


def test_oidcc_ensure_request_object_with_redirect_uri(suite: Suite) -> None:
    _, asked = suite.url()

    response = suite.ask_in_vain(request=unsigned(asked), redirect_uri="https://invalid.example/callback")

    assert response.status_code == 400
    assert "location" not in response.headers


def test_oidcc_refresh_token(suite: Suite) -> None:
    tokens = suite.tokens(scope="openid email offline_access", prompt="consent")
    refreshed = suite.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()

    first, second = suite.claims(tokens), suite.claims(refreshed)
    same = ("iss", "sub", "aud", "azp", "auth_time")
    assert {name: second[name] for name in same} == {name: first[name] for name in same}
    assert second["iat"] >= first["iat"]
    assert second.get("nonce") in {None, first["nonce"]}
    assert suite.userinfo(refreshed["access_token"]).status_code == 200
    other = Suite(suite.browser, suite.document, "suite2")
    stolen = other.token(grant_type="refresh_token", refresh_token=refreshed["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


# Implicit and hybrid plans, each with its default mode and by form post.


def check_front_channel(suite: Suite, answered: Answered) -> None:
    """Check that what was asked for came, and that it is tied together."""
    suite.check_state_and_iss(answered)
    parameters, kinds = answered.parameters, answered.asked["response_type"].split()
    assert {"code": "code", "token": "access_token", "id_token": "id_token"}.keys() >= set(kinds)
    assert ("code" in parameters, "access_token" in parameters, "id_token" in parameters) == tuple(
        kind in kinds for kind in ("code", "token", "id_token")
    )
    subjects = set()
    if "id_token" in kinds:
        claims = suite.check_id_token(
            parameters["id_token"],
            answered,
            access_token=parameters.get("access_token"),
            code=parameters.get("code"),
        )
        subjects.add(claims["sub"])
    if "token" in kinds:
        assert parameters["token_type"].lower() == "bearer"
        subjects.add(suite.userinfo(parameters["access_token"]).json()["sub"])
    if "code" in kinds:
        tokens = suite.redeem(answered).json()
        subjects.add(suite.claims(tokens)["sub"])
    assert subjects == {"alice"}


@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
def test_oidcc_server_implicit_and_hybrid(suite: Suite, response_type: str) -> None:
    answered = suite.authorize(response_type=response_type)

    assert answered.query == {}
    check_front_channel(suite, answered)


@pytest.mark.parametrize("response_type", ["code", *FRONT_CHANNEL])
def test_oidcc_server_form_post(suite: Suite, response_type: str) -> None:
    answered = suite.authorize(response_type=response_type, response_mode="form_post")

    assert answered.arrival.url == CALLBACK
    assert answered.form == answered.parameters
    check_front_channel(suite, answered)


@pytest.mark.parametrize("response_type", ["id_token", "id_token token", "code id_token", "code id_token token"])
def test_oidcc_ensure_request_without_nonce_fails(suite: Suite, response_type: str) -> None:
    answered = suite.authorize(response_type=response_type, nonce=None)

    assert error_of(suite, answered) == "invalid_request"
    assert answered.fragment == answered.parameters


@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
@pytest.mark.parametrize("response_mode", [None, "form_post"])
def test_oidcc_prompt_none_not_logged_in_is_refused_where_the_client_listens(
    suite: Suite, response_type: str, response_mode: str | None
) -> None:
    answered = suite.authorize(response_type=response_type, response_mode=response_mode, prompt="none")

    assert error_of(suite, answered) == "login_required"
    assert answered.parameters == (answered.fragment if response_mode is None else answered.form)


def test_oidcc_scope_all_is_in_an_id_token_that_comes_alone(suite: Suite) -> None:
    answered = suite.authorize(response_type="id_token", scope=ALL_SCOPES)

    claims = suite.check_id_token(answered.parameters["id_token"], answered)
    assert {name for names in STANDARD_CLAIMS.values() for name in names} <= set(claims)


# The authorization endpoint by POST, from another site: browsers send no cookies with that (SameSite=Lax).


def post_from_another_site(suite: Suite, **asked: str) -> httpx.Response:
    """Post an authorization request as a browser does for a page of another site, and give the answer."""
    _, present = suite.url(**asked)
    kept, suite.browser.http.cookies = suite.browser.http.cookies, httpx.Cookies()
    response = suite.browser.http.post(
        suite.document["authorization_endpoint"], content=urlencode(present), headers=FORM
    )
    for cookie in suite.browser.http.cookies.jar:
        kept.jar.set_cookie(cookie)
    suite.browser.http.cookies = kept
    return response


def test_oidcc_ensure_post_request_succeeds(suite: Suite) -> None:
    response = post_from_another_site(suite)

    assert "code" in dict(parse_qsl(urlsplit(suite.browser.follow(response).url).query))


def test_oidcc_ensure_post_request_succeeds_for_whom_has_signed_in_without_asking_again(suite: Suite) -> None:
    suite.tokens()
    suite.browser.visited.clear()

    arrived = suite.browser.follow(post_from_another_site(suite, prompt="none"))

    assert "code" in dict(parse_qsl(urlsplit(arrived.url).query))
    assert not suite.has_signed_in


def test_form_post_page_has_a_button_for_who_runs_no_scripts(suite: Suite) -> None:
    suite.tokens()

    page = Page.of(suite.ask_in_vain(response_mode="form_post").text)

    assert page.action == CALLBACK
    assert page.buttons
