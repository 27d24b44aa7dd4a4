"""What tests of the provider for tests share: an issuer, a client of it, and a project of somebody else's."""

from __future__ import annotations

# pytester forgets what a project imports, but a package keeps its modules as attributes: `requests` would then have
# another `http.cookiejar` than it looks for, if a test imported `http` without it before. `httpx` keeps the errors of
# `httpcore`, which it imports late, and would not know those of another one.
import http.cookiejar  # noqa: F401
from collections.abc import Callable
from importlib.metadata import entry_points

import httpcore  # noqa: F401
import pytest

from oauthcore_mock import Browser, Clock, Issuer, Provider, RegisteredClient


@pytest.fixture(scope="session")
def provider() -> Provider:
    """Return a provider that nobody serves."""
    return Provider("http://127.0.0.1:9400")


@pytest.fixture
def issuer(provider: Provider) -> Issuer:
    """Return an issuer of the test's own."""
    return provider.issuer(clock=Clock())


@pytest.fixture
def client(issuer: Issuer) -> RegisteredClient:
    """Return a client that learns."""
    return issuer.client()


@pytest.fixture
def browser(provider: Provider) -> Browser:
    """Return a browser that nobody has signed in with."""
    return Browser(provider)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Return what runs a test file in an empty project in which the plugin is installed."""
    # Where the project was installed before it had the entry point, the plugin is named.
    is_installed = any(found.name == "oauthcore" for found in entry_points(group="pytest11"))
    named = () if is_installed else ("-p", "oauthcore_pytest.plugin")

    def run(source: str, *options: str) -> pytest.RunResult:
        """Run it in this process."""
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *named, *options)

    return run
