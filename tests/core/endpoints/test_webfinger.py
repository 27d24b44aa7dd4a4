"""WebFinger: an account leads to its issuer, and to nothing else (RFC 7033, OIDC Discovery 1.0 section 2)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import AuthorizationServer, ConfigurationError, Request, Response, WebFinger, run
from oauthcore.endpoints.webfinger import ISSUER_REL
from oauthcore.openid import OpenID
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore.trace import Trace, replay
from tests.core.site import TOKEN_KEY, Site, make_site, members
from tests.core.trace.test_trace import Traced

ISSUER = "https://as.example/tenant"


def finder(issuer: str = ISSUER, *domains: str) -> Site:
    """Make a provider that answers for the accounts of example.com."""
    return make_site(issuer=issuer, clients=(), openid=OpenID(), webfinger=WebFinger(domains or ("example.com",)))


def find(site: Site, resource: str, *rels: str) -> Response:
    """Look a resource up."""
    query = "&".join([f"resource={quote(resource, safe='')}", *(f"rel={quote(rel, safe='')}" for rel in rels)])
    return site.handle(Request("GET", f"/.well-known/webfinger?{query}"))


def test_an_account_leads_to_the_issuer() -> None:
    """RFC 7033 sections 4.2, 5 and 10.2, OIDC Discovery 1.0 section 2.2.1."""
    response = find(finder(), "acct:alice@example.com", ISSUER_REL)

    assert members(response) == {
        "subject": "acct:alice@example.com",
        "links": [{"rel": ISSUER_REL, "href": ISSUER}],
    }
    assert (response.status, response.header("content-type")) == (200, "application/jrd+json")
    assert response.header("access-control-allow-origin") == "*"


def test_a_client_that_knows_an_account_alone_finds_the_endpoints() -> None:
    """As Tailscale does: account, issuer, discovery."""
    site = finder()

    (link,) = members(find(site, "acct:alice@example.com", ISSUER_REL))["links"]
    path = link["href"].removeprefix("https://as.example")
    document = members(site.handle(Request("GET", f"{path}/.well-known/openid-configuration")))

    assert document["issuer"] == link["href"] == ISSUER
    assert document["authorization_endpoint"] == f"{ISSUER}/authorize"


@pytest.mark.parametrize(
    "resource",
    [
        "acct:alice@example.com",
        "acct:nobody.at.all@example.com",
        "acct:alice+list@EXAMPLE.com",
        "acct:alice%40old.example@example.com",
        ISSUER,
        f"{ISSUER}/",
        f"{ISSUER}/alice",
        "HTTPS://AS.example:443/tenant/alice?x=y",
    ],
)
def test_what_belongs_to_the_issuer_is_found_and_named_as_it_was_asked_for(resource: str) -> None:
    response = find(finder(), resource)

    assert members(response) == {"subject": resource, "links": [{"rel": ISSUER_REL, "href": ISSUER}]}


@pytest.mark.parametrize(
    "resource",
    [
        "acct:alice@other.example",
        "acct:alice@sub.example.com",
        "acct:alice@example.com.evil.example",
        "acct:alice@example.com:8443",
        "acct:alice@evil.example@example.com",
        "acct:@example.com",
        "mailto:alice@example.com",
        "https://as.example/tenant2",
        "https://as.example/",
        "http://as.example/tenant",
        "https://as.example@evil.example/tenant",
        "https://as.example/tenant/../other",
        "https://as.example/tenant#fragment",
        "urn:x:y",
    ],
)
def test_nothing_is_said_of_other_resources(resource: str) -> None:
    """RFC 7033 section 4.2."""
    response = find(finder(), resource)

    assert response.status == 404
    assert response.header("access-control-allow-origin") == "*"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?resource=",
        "?rel=x",
        "?resource=alice%40example.com",
        "?resource=acct:",
        "?resource=acct:a%0d%0a@example.com",
        "?resource=acct:%C3%A4@example.com",
        "?resource=acct:a@example.com&resource=acct:b@example.com",
        "?resource=%ff",
        "?resource=acct:a%2520b@example.com%20",
    ],
)
def test_a_request_without_a_resource_is_refused(query: str) -> None:
    """RFC 7033 section 4.2."""
    response = finder().handle(Request("GET", f"/.well-known/webfinger{query}"))

    assert (response.status, members(response)["error"]) == (400, "invalid_request")
    assert response.header("access-control-allow-origin") == "*"


def test_only_the_links_that_are_asked_for_are_returned() -> None:
    """RFC 7033 section 4.3."""
    other = "http://webfinger.net/rel/profile-page"

    assert members(find(finder(), "acct:a@example.com", other, ISSUER_REL))["links"] != []
    assert members(find(finder(), "acct:a@example.com", other)) == {"subject": "acct:a@example.com", "links": []}


def test_a_plus_in_the_query_is_a_plus() -> None:
    response = finder().handle(Request("GET", "/.well-known/webfinger?resource=acct:a+b@example.com"))

    assert members(response)["subject"] == "acct:a+b@example.com"


@given(st.from_regex(r"[A-Za-z0-9._~!$&'()*,;=+-]{1,20}", fullmatch=True))
def test_every_account_of_a_domain_gets_the_same_answer(name: str) -> None:
    known, other = (members(find(finder(), f"acct:{user}@example.com")) for user in ("alice", name))

    assert known["links"] == other["links"]


def test_it_is_off_unless_it_is_turned_on() -> None:
    site = make_site(openid=OpenID())

    assert find(site, "acct:alice@example.com").status == 404
    assert not site.server.owns("/.well-known/webfinger")


def test_other_methods_are_refused_and_a_browser_may_ask() -> None:
    site = finder()

    assert site.handle(Request("POST", "/.well-known/webfinger?resource=acct:a@example.com")).status == 405
    assert site.handle(Request("OPTIONS", "/.well-known/webfinger")).status == 204
    assert site.handle(Request("HEAD", "/.well-known/webfinger?resource=acct:a@example.com")).status == 200


@pytest.mark.parametrize("domain", ["", "*@example.com", "Example.com", "https://example.com", "example.com/", "a b"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ConfigurationError, match="domains"):
        WebFinger([domain])


def test_a_string_is_no_list_of_domains() -> None:
    with pytest.raises(ConfigurationError, match="domains"):
        WebFinger("example.com")


def test_it_takes_a_provider() -> None:
    """OIDC Discovery 1.0 section 2: what is found is an OpenID Provider."""
    with pytest.raises(ConfigurationError, match="webfinger"):
        AuthorizationServer(
            issuer=ISSUER,
            clock=FixedClock(),
            entropy=SeededEntropy(),
            token_key=TOKEN_KEY,
            webfinger=WebFinger(["example.com"]),
        )


def test_a_lookup_is_played_again_as_it_was() -> None:
    site = finder()
    traced = Traced(site.server, site.world, site.clock, run, [])
    find(traced, "acct:alice@example.com", ISSUER_REL)

    assert replay(Trace.load(traced.traces[-1].dump())).differences == ()
