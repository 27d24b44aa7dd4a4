"""What MCP's clients ask of an authorization server, as they send it: rows of the checklist that are about the wire."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import anyio
import httpx
import pytest

from oauthcore import Client, MemoryStorage, Resource, Secret, World, run
from oauthcore.openid import OpenID
from oauthcore_asgi import OAuth
from oauthcore_mcp import oauth_for_mcp
from tests.mcp.site import SCOPES, authenticate
from tests.pages.html import Page
from tests.pages.site import FORM

HOST = "https://mcp.example"
CALLBACK = "https://app.example/cb?kept=1"
OWN_KINDS: Any = {
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["client_credentials"],
    "response_types": [],
}
S256 = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SECRET = "s3cret/with+all=of&it%41-and-some-more"
OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"


def made(path: str = "", **settings: Any) -> OAuth:
    """Return an authorization server with one client of each kind."""
    world = World(MemoryStorage(), authenticate=authenticate)
    oauth = oauth_for_mcp(HOST + path, world, bytes(32), [Resource(f"{HOST}/mcp", scopes=SCOPES)], **settings)
    public = Client(client_id="public", token_endpoint_auth_method="none", redirect_uris=[CALLBACK], scope=SCOPES)
    basic = Client(client_id="basic", scope=SCOPES, **OWN_KINDS)
    run(oauth.server.clients.register(public), world)
    run(oauth.server.clients.register(basic, Secret(SECRET)), world)
    return oauth


def ask(oauth: OAuth, method: str, path: str, **more: Any) -> httpx.Response:
    """Ask it, with no header that the test does not name."""

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(oauth), base_url=HOST) as http:
            http.headers.clear()
            return await http.request(method, path, **more)

    return anyio.run(call)


@pytest.mark.parametrize("path", ["", "/tenant1", "/a/b"])
def test_a1_metadata_is_before_the_issuers_path(path: str) -> None:
    response = ask(made(path), "GET", OAUTH + path)

    assert response.headers["content-type"] == "application/json"
    assert response.json()["issuer"] == HOST + path


@pytest.mark.parametrize("path", ["", "/tenant1"])
def test_a2_metadata_is_one_document_at_every_place_where_openid_is_on(path: str) -> None:
    oauth = made(path, openid=OpenID())

    bodies = {ask(oauth, "GET", place).content for place in (OAUTH + path, OPENID + path, path + OPENID)}

    assert len(bodies) == 1


def test_a2_place_without_metadata_is_neither_a_page_nor_a_redirect() -> None:
    response = ask(made(), "GET", OPENID)

    assert response.status_code == 404
    assert "html" not in response.headers["content-type"]


@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-authorization-server/x", "/tenant1/.well-known/openid-configuration"]
)
def test_a2_place_without_metadata_can_be_read_by_a_clients_page(path: str) -> None:
    response = ask(made(), "GET", path, headers={"Origin": "https://inspector.example"})

    assert response.status_code == 404
    assert response.headers["access-control-allow-origin"] == "*"


def test_a3_metadata_has_what_clients_insist_on() -> None:
    document = ask(made(openid=OpenID()), "GET", OPENID).json()

    assert document["authorization_endpoint"] == f"{HOST}/authorize"
    assert document["token_endpoint"] == f"{HOST}/token"
    assert "code" in document["response_types_supported"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document.keys() >= {"jwks_uri", "subject_types_supported", "id_token_signing_alg_values_supported"}
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "none" in document["token_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("version", [None, "2026-07-28", "2025-03-26", "no version"])
def test_a5_metadata_is_there_whatever_the_protocols_version(version: str | None) -> None:
    headers = {} if version is None else {"MCP-Protocol-Version": version}

    assert ask(made(), "GET", OAUTH, headers=headers).status_code == 200


@pytest.mark.parametrize("path", [OAUTH, "/token", "/register", "/revoke"])
def test_a6_preflight_passes_with_the_headers_of_mcp(path: str) -> None:
    method = "GET" if path == OAUTH else "POST"
    headers = {"Origin": "https://inspector.example", "Access-Control-Request-Method": method}
    headers["Access-Control-Request-Headers"] = "mcp-protocol-version, content-type, authorization"

    response = ask(made(), "OPTIONS", path, headers=headers)

    allowed = response.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("mcp-protocol-version", "content-type", "authorization"))


def test_a6_authorization_endpoint_allows_no_other_origin() -> None:
    headers = {"Origin": "https://inspector.example", "Access-Control-Request-Method": "GET"}

    assert "access-control-allow-origin" not in ask(made(), "OPTIONS", "/authorize", headers=headers).headers


def test_a7_headers_of_a_request_change_no_url() -> None:
    oauth = made()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}

    assert ask(oauth, "GET", OAUTH, headers=headers).content == ask(oauth, "GET", OAUTH).content


def authorize(changes: Mapping[str, str | None]) -> httpx.Response:
    asked: dict[str, str | None] = {"response_type": "code", "client_id": "public", "redirect_uri": CALLBACK}
    asked |= {"state": "s", "code_challenge": S256, "code_challenge_method": "S256", "scope": "files:read"}
    sent = {name: value for name, value in (asked | dict(changes)).items() if value is not None}
    return ask(made(), "GET", "/authorize", params=sent)


def told(response: httpx.Response) -> list[tuple[str, str]]:
    location = response.headers["location"]
    assert location.startswith("https://app.example/cb?kept=1")
    return parse_qsl(urlsplit(location).query, keep_blank_values=True)


@pytest.mark.parametrize(
    "changes",
    [{"code_challenge": None, "code_challenge_method": None}, {"code_challenge_method": "plain"}]
    + [{"code_challenge_method": method} for method in (None, "S512")],
)
def test_b2_request_without_s256_is_an_invalid_request(changes: dict[str, str | None]) -> None:
    assert ("error", "invalid_request") in told(authorize(changes))


@pytest.mark.parametrize("state", ["x" * 2_000, "a%20b+c&d=e", "ä€😀"])
def test_b4_error_has_the_state_and_the_issuer_once_and_unchanged(state: str) -> None:
    members = told(authorize({"scope": "other", "state": state}))

    assert [value for name, value in members if name == "state"] == [state]
    assert [value for name, value in members if name == "iss"] == [HOST]


def test_b10_scope_that_nobody_knows_is_left_out_and_not_refused() -> None:
    assert authorize({"scope": "files:read offline_access"}).headers["location"].startswith("/")


@pytest.mark.parametrize("scope", ["other", "offline_access"])
def test_b10_request_for_nothing_that_is_known_is_an_invalid_scope(scope: str) -> None:
    assert ("error", "invalid_scope") in told(authorize({"scope": scope}))


def test_b12_request_without_a_state_is_answered_without() -> None:
    assert "state" not in dict(told(authorize({"scope": "other", "state": None})))


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


OWN = {"grant_type": "client_credentials"}


@pytest.mark.parametrize("secret", [SECRET, quote(SECRET, safe="")])
@pytest.mark.parametrize("body", [{}, {"client_id": "basic"}])
def test_c4_c5_basic_is_taken_raw_and_encoded_with_and_without_the_client_in_the_body(
    secret: str, body: dict[str, str]
) -> None:
    response = ask(made(), "POST", "/token", data=OWN | body, headers=basic("basic", secret))

    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert isinstance(response.json()["expires_in"], int)


def test_c4_another_client_in_the_body_is_refused() -> None:
    response = ask(made(), "POST", "/token", data=OWN | {"client_id": "public"}, headers=basic("basic", SECRET))

    assert response.status_code in {400, 401}
    assert response.json()["error"] in {"invalid_request", "invalid_client"}


def test_c6_secret_in_the_header_and_in_the_body_is_refused() -> None:
    body = OWN | {"client_id": "basic", "client_secret": SECRET}

    assert ask(made(), "POST", "/token", data=body, headers=basic("basic", SECRET)).json()["error"] == "invalid_request"


def test_c6_secret_in_the_body_is_no_basic() -> None:
    body = OWN | {"client_id": "basic", "client_secret": SECRET}

    assert ask(made(), "POST", "/token", data=body).json()["error"] == "invalid_client"


@pytest.mark.parametrize("header", ["Basic !!!", "Basic AAAA", "Basic /w==", "Basic", "basic YmFzaWM6AA=="])
def test_c7_credentials_that_cannot_be_read_are_an_error_of_the_clients(header: str) -> None:
    response = ask(made(), "POST", "/token", data=OWN, headers={"Authorization": header})

    assert response.status_code in {400, 401}
    assert response.json()["error"] in {"invalid_client", "invalid_request"}


def test_c7_wrong_secret_in_the_header_is_challenged_in_the_header() -> None:
    response = ask(made(), "POST", "/token", data=OWN, headers=basic("basic", "wrong"))

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"grant_type": "x"}', "application/json"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=%zz", "application/x-www-form-urlencoded"),
        (b"x" * 10_000_000, "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_c11_body_that_cannot_be_read_is_an_oauth_error(content: bytes, kind: str) -> None:
    response = ask(made(), "POST", "/token", content=content, headers={"Content-Type": kind})

    assert response.status_code in {400, 401, 413, 415}
    assert response.json()["error"]


def test_c12_grant_type_that_is_not_the_clients_is_unauthorized() -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "x"}

    assert ask(made(), "POST", "/token", data=body, headers=basic("basic", SECRET)).json()["error"] == (
        "unauthorized_client"
    )


def test_consent_page_says_in_words_what_a_scope_is_and_at_which_api() -> None:
    world = World(MemoryStorage(), authenticate=authenticate)
    files = Resource(f"{HOST}/mcp", scopes=SCOPES, name="Files")
    oauth = oauth_for_mcp(HOST, world, bytes(32), [files], scope_texts={"files:read": "Read your files"})
    public = Client(client_id="public", token_endpoint_auth_method="none", redirect_uris=[CALLBACK], scope=SCOPES)
    run(oauth.server.clients.register(public), world)

    page = consent_page(oauth, {"client_id": "public", "redirect_uri": CALLBACK, "scope": "files:read"})

    assert "Read your files" in page
    assert ">Files</" in page
    assert f"{HOST}/mcp" in page


def consent_page(oauth: OAuth, request: Mapping[str, str]) -> str:
    """Sign in, and return the page that asks."""

    async def walk() -> str:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(oauth), base_url=HOST, follow_redirects=True
        ) as http:
            challenge = {"code_challenge": S256, "code_challenge_method": "S256", "response_type": "code"}
            page = Page.of((await http.get("/authorize", params={**request, **challenge})).text)
            content = page.submission(("username", "alice"), ("password", "wonderland"))
            return (await http.post(page.action or "", content=content, headers=dict([FORM]))).text

    return anyio.run(walk)
