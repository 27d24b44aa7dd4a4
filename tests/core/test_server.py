"""Routing: paths, methods, other origins."""

from __future__ import annotations

import json

import attrs
import pytest

from oauthcore import AnyoneMayRegister, Login, Paths, Policy, Registration, Request, Response
from oauthcore.errors import ContentTooLarge
from oauthcore.openid import OpenID
from oauthcore.wire.refusals import ErrorPage
from tests.core.site import Site, form, make_site


def test_an_unknown_path_is_a_404(site: Site) -> None:
    assert site.get("/nothing").status == 404


def test_the_server_knows_its_paths(site: Site) -> None:
    assert site.server.owns("/token")
    assert not site.server.owns("/login")


def test_every_path_is_configurable() -> None:
    paths = Paths(
        authorization="/a", token="/t", introspection="/i", revocation="/v", resume="/r", login="/l", consent="/c"
    )
    site = make_site(paths=paths)

    assert all(site.server.owns(path) for path in ("/a", "/t", "/i", "/v", "/r"))
    assert not site.server.owns("/token")


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/token", "GET", "POST, OPTIONS"),
        ("/revoke", "GET", "POST, OPTIONS"),
        ("/introspect", "GET", "POST"),
        ("/introspect", "OPTIONS", "POST"),
        ("/authorize", "HEAD", "GET, POST"),
        ("/authorize", "OPTIONS", "GET, POST"),
        ("/authorize/resume", "POST", "GET"),
        ("/.well-known/oauth-authorization-server", "POST", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_a_405_that_says_which(site: Site, path: str, method: str, allow: str) -> None:
    """RFC 9110 section 15.5.6."""
    response = site.handle(Request(method, path))

    assert (response.status, response.header("allow")) == (405, allow)


@pytest.mark.parametrize("path", ["/token", "/revoke", "/.well-known/oauth-authorization-server"])
def test_a_preflight_is_answered_where_other_origins_may_call(site: Site, path: str) -> None:
    response = site.handle(Request("OPTIONS", path, (("Origin", "https://spa.example"),)))

    assert response.status == 204
    assert response.header("access-control-allow-origin") == "*"
    assert "Authorization" in (response.header("access-control-allow-headers") or "")
    assert response.header("access-control-allow-methods")
    assert response.header("access-control-allow-credentials") is None


@pytest.mark.parametrize("path", ["/token", "/.well-known/oauth-authorization-server"])
def test_a_preflight_allows_what_the_client_announces(site: Site, path: str) -> None:
    """MCP's clients announce `mcp-protocol-version`, others `dpop` (RFC 9449 section 5)."""
    announced = ("Access-Control-Request-Headers", "authorization,dpop, mcp-protocol-version")

    response = site.handle(Request("OPTIONS", path, (announced,)))

    assert response.header("access-control-allow-headers") == "authorization,dpop, mcp-protocol-version"
    assert response.header("vary") == "Access-Control-Request-Headers"


@pytest.fixture
def whole() -> Site:
    """Return a server that has every endpoint there is."""
    return make_site(openid=OpenID(), policy=Policy.openid(), registration=Registration(access=AnyoneMayRegister()))


WELL_KNOWN = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
# What brings its own authority with it, and takes no cookies (Fetch section 3.2).
OPEN_TO_PAGES = (*WELL_KNOWN, "/jwks", "/token", "/register", "/revoke", "/userinfo")
MCP_HEADERS = "mcp-protocol-version, content-type, authorization"


@pytest.mark.parametrize("path", OPEN_TO_PAGES)
def test_a6_page_of_any_origin_may_call_with_the_headers_of_mcp(whole: Site, path: str) -> None:
    origin, announced = ("Origin", "http://localhost:6274"), ("Access-Control-Request-Headers", MCP_HEADERS)

    response = whole.handle(Request("OPTIONS", path, (origin, announced)))

    assert response.status == 204
    assert response.header("access-control-allow-origin") == "*"
    assert response.header("access-control-allow-headers") == MCP_HEADERS
    assert response.header("access-control-allow-credentials") is None


@pytest.mark.parametrize("path", ["/authorize", "/authorize/resume", "/end-session", "/introspect"])
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_a6_no_page_of_another_origin_may_call_what_takes_cookies_or_is_for_servers(
    whole: Site, path: str, method: str
) -> None:
    response = whole.handle(Request(method, path, (("Origin", "https://spa.example"),)))

    assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", OPEN_TO_PAGES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a6_page_reads_refusals_and_their_challenges_too(whole: Site, path: str, method: str) -> None:
    response = whole.handle(Request(method, path, (("Origin", "https://spa.example"),)))

    assert response.header("access-control-allow-origin") == "*"
    assert "WWW-Authenticate" in (response.header("access-control-expose-headers") or "")


@pytest.mark.parametrize("path", OPEN_TO_PAGES)
def test_a6_page_reads_that_a_body_was_too_large_to_be_read(whole: Site, path: str) -> None:
    response = whole.server.refuse(path, ContentTooLarge("the body is too large"))

    assert response is not None
    assert response.header("access-control-allow-origin") == "*"


@pytest.mark.parametrize("path", WELL_KNOWN)
@pytest.mark.parametrize("version", [None, "2026-07-28", "2025-03-26", "none that there is"])
def test_a5_metadata_is_the_same_whatever_version_of_mcp_is_spoken(whole: Site, path: str, version: str | None) -> None:
    headers = () if version is None else (("MCP-Protocol-Version", version),)

    response = whole.handle(Request("GET", path, headers))

    assert response == whole.handle(Request("GET", path, (("Accept", "text/html"), ("User-Agent", "a browser"))))
    assert (response.status, response.header("content-type")) == (200, "application/json")


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server/other", "/.well-known/nothing"])
def test_a2_page_reads_that_there_is_no_metadata_in_a_place(whole: Site, path: str) -> None:
    """RFC 8414 section 3.1: clients look in several."""
    response = whole.get(path)

    assert (response.status, response.header("content-type")) == (404, "application/problem+json")
    assert response.header("access-control-allow-origin") == "*"
    assert json.loads(response.body) == {"status": 404, "title": "Not Found"}


def test_a2_page_may_look_for_metadata_with_the_headers_of_mcp_where_there_is_none(whole: Site) -> None:
    announced = ("Access-Control-Request-Headers", MCP_HEADERS)

    response = whole.handle(Request("OPTIONS", "/.well-known/nothing", (announced,)))

    assert (response.status, response.header("access-control-allow-headers")) == (204, MCP_HEADERS)
    assert whole.handle(Request("OPTIONS", "/nothing", (announced,))).status == 404


@pytest.mark.parametrize("announced", ["", "a b", "x\r\nSet-Cookie: a=b", "é", ",", "x" * 1_025])
def test_a_preflight_says_nothing_after_that_is_no_list_of_headers(site: Site, announced: str) -> None:
    response = site.handle(Request("OPTIONS", "/token", (("Access-Control-Request-Headers", announced),)))

    assert response.header("access-control-allow-headers") == "Authorization, Content-Type"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/token", "application/json"),
        ("/revoke", "application/json"),
        ("/introspect", "application/json"),
        ("/authorize", "text/html; charset=utf-8"),
    ],
)
def test_a_body_that_no_host_read_is_refused_in_the_form_of_its_endpoint(
    site: Site, path: str, content_type: str
) -> None:
    """RFC 6749 section 5.2, RFC 9110 section 15.5.14."""
    response = site.server.refuse(path, ContentTooLarge("the body is too large"))

    assert response is not None
    assert (response.status, response.header("content-type")) == (413, content_type)
    assert b"invalid_request" in response.body
    assert site.server.refuse("/nowhere", ContentTooLarge("the body is too large")) is None


def test_other_origins_may_read_errors_too(site: Site) -> None:
    response = site.post("/token", form(grant_type="magic"))

    assert response.header("access-control-allow-origin") == "*"


def test_other_origins_may_not_read_the_authorization_endpoint(site: Site) -> None:
    assert site.authorize().header("access-control-allow-origin") is None
    assert site.get("/authorize").header("access-control-allow-origin") is None


@pytest.mark.parametrize(
    "header", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded", "X-Forwarded-Prefix"]
)
def test_no_header_changes_what_the_server_calls_itself(site: Site, header: str) -> None:
    target = site.authorize_target(scope="admin")

    plain = site.handle(Request("GET", target))
    with_header = site.handle(Request("GET", target, ((header, "attacker.example"),)))

    assert with_header == plain


def test_a_request_may_bring_its_own_error_page(site: Site) -> None:
    """A host that speaks several languages renders each refusal in the person's."""

    def error_page(page: ErrorPage) -> Response:
        return Response(page.status, (), b"auf Deutsch")

    alice = Login(subject="alice", auth_time=0)
    flows = (
        site.server.handle(Request("GET", "/authorize?client_id=nobody"), error_page=error_page),
        site.server.interactions.finish("nonsense", alice, error_page=error_page),
        site.server.interactions.deny("nonsense", None, error_page=error_page),
    )

    assert [site.drive(flow, site.world).body for flow in flows] == [b"auf Deutsch"] * 3


def test_requests_of_one_second_have_one_context_and_later_ones_another(site: Site) -> None:
    first, again = site.server.context(), site.server.context()
    site.clock.advance(1)
    later = site.server.context()

    assert again is first
    # What signs has the second in it, too: a key signs while it is in its time.
    assert later == attrs.evolve(first, now=first.now + 1, sign=later.sign)
