"""A server that is running somewhere, as tests: `pytest --oauth-conformance URL`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oauthcore import Policy
from oauthcore_doctor import CHECKS
from oauthcore_pytest.serving import served

Project = Callable[..., pytest.RunResult]


@pytest.mark.slow
def test_a_good_server_passes_each_check(project: Project) -> None:
    with served() as provider:
        issuer = provider.issuer(policy=Policy.openid())
        result = project("", "--oauth-conformance", issuer.url)

    result.assert_outcomes(passed=len(CHECKS))


@pytest.mark.slow
def test_what_is_wrong_fails_the_test_that_is_called_so(project: Project) -> None:
    with served() as provider:
        result = project(
            "def test_own(): pass", "--oauth-conformance", provider.issuer().url, "-k", "oauth-conformance"
        )

    result.assert_outcomes(passed=len(CHECKS) - 3, failed=3, deselected=1)
    result.stdout.fnmatch_lines(
        [
            "warning: PKCE with plain is not offered (RFC 9700 section 2.1.1)",
            "  code_challenge_methods_supported has plain",
            "  remedy: take S256 alone",
            "FAILED oauth-conformance::pkce-plain*",
        ]
    )


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--oauth-conformance", "login.example", "login.example is no URL of a server: begin it with https://"),
        ("--oauth-resource", "ftp://api.example", "ftp://api.example is no URL of a server"),
    ],
)
def test_what_is_no_url_is_said_in_a_line(option: str, value: str, says: str, project: Project) -> None:
    result = project("def test_own(): pass", option, value)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{says}*"])


def test_a_suite_without_the_option_has_its_own_tests_alone(project: Project) -> None:
    project("def test_own(): pass").assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_client_is_lent_with_the_secret_of_the_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as provider:
        issuer = provider.issuer(policy=Policy.openid())
        client = issuer.client("app", redirect_uris=["https://app.example/callback"])
        monkeypatch.setenv("OAUTHCORE_CLIENT_SECRET", client.client_secret or "")
        lent = ("--oauth-client-id", "app", "--oauth-redirect-uri", "https://app.example/callback")
        result = project("", "--oauth-conformance", issuer.url, *lent, "-k", "client-redirect or client-introspection")

        issuer.requests.assert_sent("introspection", token="unknown")
    result.assert_outcomes(passed=2, deselected=len(CHECKS) - 2)


def test_redirect_uri_without_a_client_is_said_in_a_line(project: Project) -> None:
    result = project("", "--oauth-conformance", "https://as.example", "--oauth-redirect-uri", "https://app.example/cb")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --oauth-redirect-uri is of a client*"])
