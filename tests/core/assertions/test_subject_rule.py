"""Whom an assertion stands for: nobody whom no rule names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import ConfigurationError, Scope
from oauthcore.assertions.subject_rule import AssertedSubject, SubjectRule, first_of, is_name

# As GitHub says it of a workflow, and Kubernetes of a service account.
WORKFLOW: dict[str, Any] = {
    "sub": "repo:acme/api:environment:production",
    "repository": "acme/api",
    "ref": "refs/heads/main",
    "environment": "production",
    "run_attempt": "1",
}
SERVICE_ACCOUNT: dict[str, Any] = {"sub": "system:serviceaccount:prod:api"}


@pytest.mark.parametrize(
    ("claims", "presented", "is_meant"),
    [
        ({"repository": "acme/api"}, WORKFLOW, True),
        ({"repository": "acme/api", "ref": "refs/heads/main"}, WORKFLOW, True),
        ({"repository": "acme/api", "ref": "refs/heads/other"}, WORKFLOW, False),
        ({"repository": "acme/api", "actor": "alice"}, WORKFLOW, False),
        ({"ref": ["refs/heads/release", "refs/heads/main"]}, WORKFLOW, True),
        ({"ref": "refs/heads/*"}, WORKFLOW, True),
        ({"ref": "refs/tags/*"}, WORKFLOW, False),
        ({"repository": "acme/a"}, WORKFLOW, False),
        ({"repository": "ACME/api"}, WORKFLOW, False),
        ({"run_attempt": 1}, WORKFLOW, False),
        ({"sub": "system:serviceaccount:prod:*"}, SERVICE_ACCOUNT, True),
        ({"sub": "system:serviceaccount:prod:*"}, {"sub": "system:serviceaccount:production:api"}, False),
        ({"groups": "staff"}, {"groups": ["other", "staff"]}, True),
        ({"groups": "staff"}, {"groups": [["staff"]]}, False),
        ({"email_verified": True}, {"email_verified": True}, True),
        ({"email_verified": True}, {"email_verified": 1}, False),
        ({"email_verified": True}, {"email_verified": "true"}, False),
        ({"level": 1}, {"level": True}, False),
        ({"level": 1}, {"level": 1}, True),
        ({"ref": "refs/*"}, {"ref": {"refs/": 1}}, False),
    ],
)
def test_rule_is_about_assertions_that_fulfil_all_of_its_conditions(
    claims: dict[str, Any], presented: dict[str, Any], is_meant: bool
) -> None:
    found = SubjectRule(claims=claims, client_id="deployer", scope="deploy")(presented)

    assert found == (AssertedSubject(None, "deployer", Scope(("deploy",))) if is_meant else None)


def test_rule_names_a_user_by_a_claim() -> None:
    rule = SubjectRule(subject_claim="sub")

    assert rule({"sub": "alice"}) == AssertedSubject("alice")
    for claims in ({}, {"sub": ""}, {"sub": ["alice"]}, {"sub": 7}):
        assert rule(claims) is None


@pytest.mark.parametrize("verified", [False, "true", 1, "false", []])
def test_address_that_the_issuer_has_not_verified_names_nobody(verified: object) -> None:
    """OIDC Core section 5.7: anybody may have said that it is theirs."""
    rule = SubjectRule(subject_claim="email")

    assert rule({"email": "alice@example.com", "email_verified": verified}) is None
    assert rule({"email": "alice@example.com", "email_verified": True}) == AssertedSubject("alice@example.com")


def test_first_rule_that_fits_counts() -> None:
    rules = [
        SubjectRule(claims={"sub": "a1"}, subject="alice"),
        SubjectRule(claims={"sub": "a*"}, client_id="anybody"),
    ]

    assert first_of(rules, {"sub": "a1"}) == AssertedSubject("alice")
    assert first_of(rules, {"sub": "a2"}) == AssertedSubject(None, "anybody")
    assert first_of(rules, {"sub": "b1"}) is None


@pytest.mark.parametrize(
    ("setting", "settings"),
    [
        ("subject", {"claims": {"sub": "a1"}}),
        ("claims", {"client_id": "deployer"}),
        ("claims", {"subject": "alice"}),
        ("claims.iss", {"claims": {"iss": "https://idp.example"}, "client_id": "deployer"}),
        ("claims.aud", {"claims": {"aud": "x"}, "client_id": "deployer"}),
        ("claims.sub", {"claims": {"sub": "*"}, "client_id": "deployer"}),
        ("claims.sub", {"claims": {"sub": "a*b"}, "client_id": "deployer"}),
        ("claims.sub", {"claims": {"sub": "**"}, "client_id": "deployer"}),
        ("claims.sub", {"claims": {"sub": []}, "client_id": "deployer"}),
        ("claims.sub", {"claims": {"sub": None}, "client_id": "deployer"}),
        ("claims.sub", {"claims": {"sub": {"a": 1}}, "client_id": "deployer"}),
        ("claims", {"claims": ["sub"], "client_id": "deployer"}),
        ("subject_claim", {"subject": "alice", "subject_claim": "sub", "claims": {"sub": "a1"}}),
        ("subject", {"subject": "app@clients", "claims": {"sub": "a1"}}),
        ("client_id", {"client_id": 7, "claims": {"sub": "a1"}}),
        ("scope", {"client_id": "deployer", "claims": {"sub": "a1"}, "scope": 'a"b'}),
    ],
)
def test_rule_that_says_nobody_or_lets_everybody_in_is_refused(setting: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        SubjectRule(**settings)

    assert refused.value.setting == setting


@pytest.mark.slow
@given(st.text())
def test_name_can_be_written_down(name: str) -> None:
    if is_name(name):
        assert name.encode("utf-8").decode("utf-8").isprintable()


@pytest.mark.parametrize("name", ["", " alice", "alice ", "a\0b", "a\nb", "x" * 256, "\ud800", "a\u202eb"])
def test_name_that_no_storage_or_page_should_have_is_none(name: str) -> None:
    assert not is_name(name)


def test_a_condition_on_an_address_takes_none_that_its_issuer_has_not_verified() -> None:
    rule = SubjectRule(claims={"email": "ada@partner.example"}, subject="ada")
    address = {"sub": "mallory", "email": "ada@partner.example"}

    assert rule(address | {"email_verified": False}) is None
    assert rule(address | {"email_verified": True}) is not None
