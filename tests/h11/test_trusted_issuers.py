"""Trusted issuers in the file: what it may say of them, what it is warned of, and that they are taken."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from oauthcore import ConfigurationError, MemoryStorage, Request, Scope, TrustedIssuer, World, run
from oauthcore.assertions.subject_rule import AssertedSubject
from oauthcore.grants.jwt_bearer import GRANT_TYPE
from oauthcore_h11.assembly import new_token_key, server_of, trusted_issuers_of
from oauthcore_h11.cautions import cautions
from oauthcore_h11.configuration import Configuration, read
from tests.core.assertions.issuing import GIVEN, NOW, assertion
from tests.core.assertions.trusting import DEPLOYER
from tests.core.site import FORM, form, members

ISSUER = """
[[trusted_issuers]]
issuer = "https://idp.example"
jwks_file = "idp.jwks"
"""
SUBJECT = """
[[trusted_issuers.subjects]]
claims = { sub = "a1" }
client_id = "service"
scope = "files"
"""


def reading(folder: Path, text: str) -> Configuration:
    """Read a file that says this."""
    (folder / "idp.jwks").write_text(GIVEN)
    path = folder / "oauthcore.toml"
    path.write_text(f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n{text}')
    path.chmod(0o600)
    return read(path, {})


def test_nobody_is_trusted_unless_the_file_says_so(tmp_path: Path) -> None:
    assert server_of(reading(tmp_path, "")).trusted_issuers == {}


def test_issuer_of_the_file_is_one_of_the_servers(tmp_path: Path) -> None:
    text = ISSUER + 'single_use = false\naudience = ["https://as.example/token"]\nclient_ids = ["app"]' + SUBJECT

    issuer = server_of(reading(tmp_path, text)).trusted_issuers["https://idp.example"]

    assert issuer.reuse is not None
    assert (issuer.audience, issuer.client_ids) == (("https://as.example/token",), frozenset({"app"}))
    assert issuer.subject_of({"sub": "a1"}) == AssertedSubject(None, "service", Scope(("files",)))


def test_defaults_of_the_file_are_those_of_the_core(tmp_path: Path) -> None:
    (found,) = trusted_issuers_of(reading(tmp_path, ISSUER))

    assert found == TrustedIssuer(issuer="https://idp.example", keys=GIVEN)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("trusted_issuers[1].issuer", '[[trusted_issuers]]\nissuer = "kubernetes/serviceaccount"'),
        ("trusted_issuers[1].jwks_uri", ISSUER + 'jwks_uri = "https://idp.example/jwks"'),
        ("trusted_issuers[1].jwks_uri", '[[trusted_issuers]]\nissuer = "x"\njwks_uri = "http://idp.example/jwks"'),
        ("trusted_issuers[1].uses[1]", ISSUER + 'uses = ["saml"]'),
        ("trusted_issuers[1].uses", ISSUER + "uses = []"),
        ("trusted_issuers[1].algorithms", ISSUER + 'algorithms = ["HS256"]'),
        ("trusted_issuers[1].single_use", ISSUER + 'uses = ["id-jag"]\nsingle_use = false'),
        ("trusted_issuers[1].jwks_file", ISSUER.replace("idp.jwks", "oauthcore.toml")),
        ("trusted_issuers[1].jwks_file", ISSUER.replace("idp.jwks", "none.jwks")),
        ("trusted_issuers[1].subjects[1].claims", ISSUER + SUBJECT.replace('claims = { sub = "a1" }', "")),
        ("trusted_issuers[1].subjects[1].claims.sub", ISSUER + SUBJECT.replace("a1", "*")),
        ("trusted_issuers[1].subjects[1].subject", ISSUER + SUBJECT.replace('client_id = "service"', "")),
        ("trusted_issuers[1].subjects[1].group", ISSUER + SUBJECT + 'group = "staff"'),
        ("trusted_issuers[2].issuer", ISSUER + ISSUER),
    ],
)
def test_what_can_not_be_is_named_as_it_stands_in_the_file(tmp_path: Path, setting: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        server_of(reading(tmp_path, text))

    assert refused.value.setting.removeprefix("oauthcore.toml: ") == setting


def test_assertion_of_an_issuer_in_the_file_is_exchanged_by_the_server(tmp_path: Path) -> None:
    configuration = reading(tmp_path, ISSUER + SUBJECT)
    server = server_of(configuration, clock=lambda: NOW)
    client = attrs.evolve(DEPLOYER, client_id="service", scope="files")
    world = World(MemoryStorage())
    run(server.clients.register(client), world)
    body = form(grant_type=GRANT_TYPE, assertion=assertion())

    response = run(server.handle(Request("POST", "/token", (FORM,), body)), world)

    assert (response.status, members(response)["scope"]) == (200, "files")


def warned(folder: Path, text: str) -> tuple[str, ...]:
    """Return what a file is warned of, as far as it is about issuers."""
    found = cautions(folder / "oauthcore.toml", reading(folder, text))
    return tuple(warning for warning in found if "trusted_issuers" in warning)


def test_issuer_of_whom_nobody_is_meant_is_warned_of(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, ISSUER)

    assert "add [[trusted_issuers.subjects]]" in warning
    assert warned(tmp_path, ISSUER + SUBJECT) == ()
    assert warned(tmp_path, ISSUER + 'uses = ["token-exchange"]') == ()


@pytest.mark.parametrize(
    ("claims", "is_loose"),
    [
        ('{ ref = "refs/heads/main" }', True),
        ('{ ref = "refs/heads/main", repository = "acme/api" }', False),
        ('{ sub = "repo:acme/api:ref:refs/heads/main" }', False),
    ],
)
def test_rule_that_is_about_any_customer_of_a_ci_service_is_warned_of(
    tmp_path: Path, claims: str, is_loose: bool
) -> None:
    text = ISSUER.replace("https://idp.example", "https://token.actions.githubusercontent.com")

    found = warned(tmp_path, text + SUBJECT.replace('{ sub = "a1" }', claims))

    assert [("anybody's account" in warning) for warning in found] == ([True] if is_loose else [])


@pytest.mark.parametrize(
    ("pattern", "is_loose"), [("repo:acme*", True), ("repo:acme/*", False), ("system:serviceaccount:prod:*", False)]
)
def test_pattern_that_ends_within_a_name_is_warned_of(tmp_path: Path, pattern: str, is_loose: bool) -> None:
    found = warned(tmp_path, ISSUER + SUBJECT.replace("a1", pattern))

    assert [("begin so" in warning) for warning in found] == ([True] if is_loose else [])
