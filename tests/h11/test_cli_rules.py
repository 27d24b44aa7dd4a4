"""`oauthcore check --rules`: how each rule of a profile stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.cli import main

LEAST = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
RULED = """
[profile]
name = "fapi2_security"

[[clients]]
client_id = "web"
token_endpoint_auth_method = "none"
redirect_uris = ["https://web.example/cb"]
"""


Check = Callable[..., tuple[object, str, str]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks a configuration, and returns the exit code, and what was said and complained."""

    def run(text: str, *arguments: str) -> tuple[object, str, str]:
        """Run the command."""
        file = tmp_path / "oauthcore.toml"
        file.write_text(LEAST + text, encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(("check", "--config", str(file), *arguments))
        return (ended.value.code, *capsys.readouterr())

    return run


def test_each_rule_is_shown_with_its_setting_and_how_it_stands(check: Check) -> None:
    code, said, _ = check(RULED, "--rules", "configured", "--json")

    states = {row["rule"]: row["state"] for row in json.loads(said)}
    assert code == 1
    assert (states["pushed_requests"], states["tls_versions"], states["iss"]) == ("obeyed", "yours", "always")
    assert states["confidential_clients"].startswith("not obeyed by web: token_endpoint_auth_method = 'none', let it")


def test_rules_of_another_standard_are_shown_too(check: Check) -> None:
    code, said, _ = check(RULED, "--rules", "rfc9700")

    assert code == 0
    assert "RFC 9700 section 2.1.1" in said


def test_a_client_that_breaks_a_rule_keeps_the_server_from_starting(check: Check) -> None:
    code, _, complaint = check(RULED)

    assert code == 2
    assert "clients[1].token_endpoint_auth_method = 'none'" in complaint
    assert "FAPI 2.0 Security Profile section 5.3.2.1" in complaint


def test_a_file_without_a_profile_has_no_rules_of_its_own(check: Check) -> None:
    code, _, complaint = check("", "--rules", "configured")

    assert code == 2
    assert "name one, as in --rules rfc9700" in complaint
