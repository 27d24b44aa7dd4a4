"""Routing: paths, methods, other origins."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Login, Paths, Request, Response
from oauthcore.errors import ContentTooLarge
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
