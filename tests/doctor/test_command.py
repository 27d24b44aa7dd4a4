"""`oauthcore doctor`: what it prints, and how it exits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oauthcore_h11.cli import main
from tests.h11.serving import serving


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Serve a demo, and return its issuer."""
    with serving() as demo:
        yield demo.server.issuer


def doctor(*arguments: str) -> int:
    """Run the command and return how it exits."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_good_server_ends_in_0_with_one_line(issuer: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor(issuer)

    printed = capsys.readouterr().out
    assert status == 0
    assert "0 errors, 0 warnings, 1 note; " in printed
    assert "note" in printed


def test_findings_end_in_1_and_say_what_is_right_for_whom_and_the_remedy(
    issuer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = doctor(issuer.replace("localhost", "127.0.0.1"))

    printed = capsys.readouterr().out
    assert status == 1
    for words in ("error", "which is another one", "[issuer]", "for:", "remedy:", "RFC 8414 section 3.3"):
        assert words in printed
    assert "Clients that fail" in printed
    assert "go-oidc" in printed


def test_json_is_one_line_with_every_member(issuer: str, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(issuer, "--json")

    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(report) == {"issuer", "resource", "requests", "seconds", "findings", "clients"}
    (finding,) = report["findings"]
    assert set(finding) == {"id", "severity", "title", "finding", "matters_to", "remedy", "section"}


def test_warnings_end_in_0_where_errors_alone_are_to_fail(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(legacy=True) as demo:
        strict, lax = doctor(demo.server.issuer), doctor(demo.server.issuer, "--fail-on", "error")

    assert (strict, lax) == (1, 0)
    assert "grant_types_supported has password" in capsys.readouterr().out


def test_a_lent_client_s_secret_comes_from_the_environment_and_is_not_printed(
    issuer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor(issuer, "--json")
    without = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("OAUTHCORE_CLIENT_SECRET", "service-password")
    status = doctor(issuer, "--client-id", "service_client", "--json")

    printed = capsys.readouterr().out
    assert status == 0
    assert "service-password" not in printed
    # A token by client credentials and one by an unknown grant type; introspection and revocation of an unknown one.
    assert json.loads(printed)["requests"] == without["requests"] + 4


def test_a_check_that_is_ignored_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(legacy=True) as demo:
        status = doctor(demo.server.issuer, "--ignore", "password", "--ignore", "implicit", "--json")

    assert status == 0
    assert {finding["severity"] for finding in json.loads(capsys.readouterr().out)["findings"]} == {"note"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name the issuer"),
        (["as.example"], "use a whole URL"),
        (["https://as.example/#a"], "use a whole URL"),
        (["https://as.example/.well-known/openid-configuration"], "name the issuer"),
        (["https://as.example", "--resource", "mcp"], "use a whole URL"),
        (["https://as.example", "--redirect-uri", "https://rp.example"], "--client-id"),
        (["https://as.example", "--timeout", "0"], "above 0"),
        (["https://as.example", "--ca-file", "nowhere.pem"], "PEM certificates"),
        (["https://as.example", "--fail-on", "note"], "--fail-on"),
        (["https://as.example", "--ignore", "nothing"], "--ignore"),
        (["https://as.example", "--allow", "no host"], "allow"),
    ],
)
def test_wrong_usage_ends_in_2_with_one_line(
    arguments: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert doctor(*arguments) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
