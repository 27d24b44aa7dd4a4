"""An issuer is trusted by settings that can be; what can't be says so, and how to mend it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauthcore import ConfigurationError
from oauthcore.assertions.subject_rule import AssertedSubject, SubjectRule
from oauthcore.assertions.trusted_issuer import AllowReuse, TrustedIssuer, as_trusted_issuers
from tests.core.assertions.issuing import GIVEN, IDP, JWKS, KEY

RULE = SubjectRule(claims={"sub": "a1"}, subject="alice")


@pytest.mark.parametrize("keys", [GIVEN, json.loads(GIVEN), [KEY], GIVEN.encode()])
def test_keys_may_be_given_in_any_form_and_are_kept_as_public_ones(keys: Any) -> None:
    found = TrustedIssuer(issuer=IDP, keys=keys)

    assert found == TrustedIssuer(issuer=IDP, keys=GIVEN)
    assert '"d"' not in str(found.keys)


def test_issuer_whose_keys_are_given_may_have_any_name() -> None:
    assert TrustedIssuer(issuer="kubernetes/serviceaccount", keys=GIVEN).issuer == "kubernetes/serviceaccount"


@pytest.mark.parametrize(
    ("setting", "settings"),
    [
        ("issuer", {"issuer": ""}),
        ("issuer", {"issuer": "kubernetes/serviceaccount"}),
        ("issuer", {"issuer": "http://idp.example"}),
        ("issuer", {"issuer": 7}),
        ("keys", {"keys": "no JSON"}),
        ("keys", {"keys": '{"keys": []}'}),
        ("keys", {"keys": 7}),
        ("keys", {"keys": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}),
        ("jwks_uri", {"jwks_uri": "http://idp.example/jwks"}),
        ("jwks_uri", {"jwks_uri": JWKS, "keys": GIVEN}),
        ("algorithms", {"algorithms": ["HS256"]}),
        ("algorithms", {"algorithms": ["none"]}),
        ("algorithms", {"algorithms": []}),
        ("algorithms", {"algorithms": "RS256"}),
        ("uses", {"uses": []}),
        ("uses", {"uses": "id-jag"}),
        ("uses", {"uses": ["saml"]}),
        ("reuse", {"uses": ["id-jag"], "reuse": AllowReuse()}),
        ("reuse", {"reuse": True}),
        ("audience", {"audience": "https://as.example/token"}),
        ("client_ids", {"client_ids": "app"}),
        ("max_lifetime", {"max_lifetime": 0}),
        ("skew", {"skew": -1}),
        ("keys_lifetime", {"keys_lifetime": 0}),
        ("keys_lifetime", {"keys_lifetime": 86_400}),
        ("subjects", {"subjects": ["alice"]}),
        ("subjects", {"subjects": "alice"}),
    ],
)
def test_settings_that_can_not_be_are_named(setting: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        TrustedIssuer(**{"issuer": IDP, **settings})

    assert refused.value.setting == setting


def test_nobody_is_meant_by_default() -> None:
    assert TrustedIssuer(issuer=IDP).subject_of({"sub": "a1"}) is None


def test_subjects_may_be_found_by_a_function() -> None:
    issuer = TrustedIssuer(issuer=IDP, subjects=lambda claims: AssertedSubject(f"idp:{claims['sub']}"))

    assert issuer.subject_of({"sub": "a1"}) == AssertedSubject("idp:a1")
    assert (issuer.is_value, TrustedIssuer(issuer=IDP, subjects=RULE).is_value) == (False, True)


@pytest.mark.parametrize("name", ["app@clients", "", "a\x00b", " alice", "x" * 256])
def test_nobody_is_called_what_no_user_can_be_called(name: str) -> None:
    """A token of theirs would be taken for a client's, or could not be stored."""
    by_rule = TrustedIssuer(issuer=IDP, subjects=SubjectRule(subject_claim="sub"))
    by_function = TrustedIssuer(issuer=IDP, subjects=lambda claims: AssertedSubject(str(claims["sub"])))

    assert by_rule.subject_of({"sub": name}) is None
    assert by_function.subject_of({"sub": name}) is None


def test_clients_that_may_present_assertions_may_be_named() -> None:
    assert TrustedIssuer(issuer=IDP).is_presented_by("app")
    assert TrustedIssuer(issuer=IDP, client_ids=["app"]).is_presented_by("app")
    assert not TrustedIssuer(issuer=IDP, client_ids=["app"]).is_presented_by("other")


@pytest.mark.parametrize(
    "issuers", [[TrustedIssuer(issuer=IDP), TrustedIssuer(issuer=IDP, keys=GIVEN)], TrustedIssuer(issuer=IDP), [IDP]]
)
def test_issuers_are_a_list_that_names_each_once(issuers: Any) -> None:
    with pytest.raises(ConfigurationError, match="trusted_issuers"):
        as_trusted_issuers(issuers)
