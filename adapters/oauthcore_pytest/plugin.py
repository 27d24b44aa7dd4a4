"""The fixtures and options, which pytest finds by the entry point `pytest11`.

Each fixture imports what it needs when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from oauthcore_h11.demo_mcp import DemoMcp
    from oauthcore_mock import Browser, Clock, Issuer, Provider, RegisteredClient, User
    from oauthcore_pytest.applications import Applications
    from oauthcore_pytest.token_factory import TokenFactory


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the URLs of a running server and resource to test."""
    group = parser.getgroup("oauthcore", "OAuth and OpenID Connect")
    group.addoption("--oauth-conformance", metavar="URL", help="test the authorization server at this issuer")
    group.addoption("--oauth-resource", metavar="URL", help="test this protected resource, such as an MCP endpoint")
    group.addoption("--oauth-client-id", metavar="ID", help="examine as this client, too; see docs/conformance.md")
    group.addoption("--oauth-redirect-uri", metavar="URI", help="a redirect URI that the client has registered")
    group.addoption("--oauth-ca-file", metavar="FILE", help="certificates to trust besides the system's, in PEM")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the tests of a running server, if its URL is given."""
    url, resource = config.getoption("--oauth-conformance"), config.getoption("--oauth-resource")
    if url is None and resource is None:
        return
    from oauthcore_pytest.conformance import conformance_tests, lent_client

    client = lent_client(config.getoption("--oauth-client-id"), config.getoption("--oauth-redirect-uri"))
    items += conformance_tests(session, url, resource, config.getoption("--oauth-ca-file"), client)


@pytest.fixture(scope="session")
def oauth_url() -> str | None:
    """Return the URL of the provider; None, unless a suite overrides this fixture, for a free port of this machine.

    With a URL, no socket is opened, and the provider is called only through `oauth_app`.
    """
    return None


@pytest.fixture(scope="session")
def oauth_server(oauth_url: str | None) -> Iterator[Provider]:
    """Return the provider of the session; its issuers last until the session ends: `oauth_server.issuer("name")`."""
    if oauth_url is not None:
        from oauthcore_mock import Provider

        yield Provider(oauth_url)
        return
    from oauthcore_pytest.serving import served

    with served() as provider:
        yield provider


@pytest.fixture
def oauth_clock() -> Clock:
    """Return the clock of this test's issuer; `oauth_clock.advance(3600)` moves it by an hour."""
    from oauthcore_mock import Clock

    return Clock()


def check_url(server: Provider, url: str | None) -> None:
    """Fail a test whose `oauth_url` comes too late: pytest keeps the provider of the session that was made first."""
    if url is not None and server.url != url.rstrip("/"):
        said = f"oauth_url is {url} here, and the provider of this session is already at {server.url}"
        pytest.fail(
            f"{said}. There is one for all tests: define oauth_url in the conftest.py of the root.", pytrace=False
        )


@pytest.fixture
def oauth_issuer(
    oauth_server: Provider, oauth_clock: Clock, oauth_url: str | None, request: pytest.FixtureRequest
) -> Iterator[Issuer]:
    """Return this test's own issuer; the test fails if a fault that it has prepared was not used."""
    check_url(oauth_server, oauth_url)
    issuer = oauth_server.issuer(clock=oauth_clock)
    yield issuer
    oauth_server.forget(issuer)
    if len(issuer.requests):
        # pytest shows this section only if the test has failed.
        request.node.add_report_section("teardown", "OAuth requests", str(issuer.requests))
    unmet = issuer.faults.unmet
    if unmet:
        pytest.fail(f"no request has met the fault that was prepared: {'; '.join(unmet)}. {issuer.requests}")


@pytest.fixture
def oauth_client(oauth_issuer: Issuer) -> RegisteredClient:
    """Return a client of this test's issuer: its redirect URI is the first that it uses, and any scope is allowed."""
    return oauth_issuer.client()


@pytest.fixture
def oauth_user(oauth_issuer: Issuer) -> User:
    """Return the user who signs in by default: `alice`."""
    return oauth_issuer.people.default


@pytest.fixture
def oauth_token(oauth_issuer: Issuer) -> TokenFactory:
    """Return a function that makes access tokens: `oauth_token("bob", scope="read", aud="https://api.example")`."""
    return oauth_issuer.token


@pytest.fixture
def oauth_browser(oauth_server: Provider) -> Browser:
    """Return a new browser, without logins, for all issuers of this test."""
    from oauthcore_mock import Browser

    return Browser(oauth_server)


@pytest.fixture
def oauth_mcp(oauth_issuer: Issuer) -> DemoMcp:
    """Return an MCP endpoint at `oauth_mcp.url` with three tools, for tokens of this test's issuer."""
    from oauthcore_h11.demo_mcp import make_mcp

    mcp = make_mcp(oauth_issuer.server)
    oauth_issuer.mount(mcp)
    return mcp


@pytest.fixture
def oauth_app(oauth_server: Provider, oauth_url: str | None) -> Applications:
    """Return the provider as an ASGI and a WSGI application, for clients that call one in the same process."""
    check_url(oauth_server, oauth_url)
    from oauthcore_pytest.applications import Applications

    return Applications(oauth_server)
