"""The fixtures and options, which pytest finds by the entry point `pytest11`.

Each imports what it needs when it is used.
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
    """Take the URL of a server that is running somewhere, to be tested as its clients meet it."""
    group = parser.getgroup("oauthcore", "OAuth and OpenID Connect")
    group.addoption("--oauth-conformance", metavar="URL", help="test the authorization server at this issuer")
    group.addoption("--oauth-resource", metavar="URL", help="test this protected resource, such as an MCP endpoint")
    group.addoption("--oauth-ca-file", metavar="FILE", help="certificates to trust besides the system's, in PEM")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the tests of a running server, where one is named."""
    url, resource = config.getoption("--oauth-conformance"), config.getoption("--oauth-resource")
    if url is None and resource is None:
        return
    from oauthcore_pytest.conformance import conformance_tests

    items += conformance_tests(session, url, resource, config.getoption("--oauth-ca-file"))


@pytest.fixture(scope="session")
def oauth_url() -> str | None:
    """Return where the provider is; None, unless a suite has a fixture of its own, for a free port of this machine.

    With a URL no socket is opened, and the provider is reached by `oauth_app` alone.
    """
    return None


@pytest.fixture(scope="session")
def oauth_server(oauth_url: str | None) -> Iterator[Provider]:
    """Return the provider of the session, which listens from now on; `oauth_server.issuer("name")` lasts as long."""
    if oauth_url is not None:
        from oauthcore_mock import Provider

        yield Provider(oauth_url)
        return
    from oauthcore_pytest.serving import served

    with served() as provider:
        yield provider


@pytest.fixture
def oauth_clock() -> Clock:
    """Return the clock of this test's issuer; `oauth_clock.advance(3600)` lets an hour pass there."""
    from oauthcore_mock import Clock

    return Clock()


@pytest.fixture
def oauth_issuer(oauth_server: Provider, oauth_clock: Clock, request: pytest.FixtureRequest) -> Iterator[Issuer]:
    """Return an issuer of this test's own; the test fails if it has prepared a fault that no request has met."""
    issuer = oauth_server.issuer(clock=oauth_clock)
    yield issuer
    oauth_server.forget(issuer)
    if len(issuer.requests):
        # pytest shows it beside a test that has failed, and nowhere else.
        request.node.add_report_section("teardown", "OAuth requests", str(issuer.requests))
    unmet = issuer.faults.unmet
    if unmet:
        pytest.fail(f"no request has met the fault that was prepared: {'; '.join(unmet)}. {issuer.requests}")


@pytest.fixture
def oauth_client(oauth_issuer: Issuer) -> RegisteredClient:
    """Return a client of this test's issuer: it learns its redirect URI, and may have any scope."""
    return oauth_issuer.client()


@pytest.fixture
def oauth_user(oauth_issuer: Issuer) -> User:
    """Return who signs in where the test says nothing else: `alice`."""
    return oauth_issuer.people.default


@pytest.fixture
def oauth_token(oauth_issuer: Issuer) -> TokenFactory:
    """Return what makes access tokens: `oauth_token("bob", scope="read", aud="https://api.example")`."""
    return oauth_issuer.token


@pytest.fixture
def oauth_browser(oauth_server: Provider) -> Browser:
    """Return a browser that nobody has signed in with yet, for all issuers of this test."""
    from oauthcore_mock import Browser

    return Browser(oauth_server)


@pytest.fixture
def oauth_mcp(oauth_issuer: Issuer) -> DemoMcp:
    """Return an MCP endpoint at `oauth_mcp.url`, with three tools, which this test's issuer has tokens for."""
    from oauthcore_h11.demo_mcp import make_mcp

    mcp = make_mcp(oauth_issuer.server)
    oauth_issuer.mount(mcp)
    return mcp


@pytest.fixture
def oauth_app(oauth_server: Provider) -> Applications:
    """Return the provider as an ASGI and a WSGI application, for clients that call one in the same process."""
    from oauthcore_pytest.applications import Applications

    return Applications(oauth_server)
