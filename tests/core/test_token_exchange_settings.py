"""The settings of token exchange: what can't be is refused by name when it is written, not when it is used."""

from __future__ import annotations

from typing import Any

import pytest

from oauthcore import (
    AllowedExchange,
    ConfigurationError,
    ExchangeAllowance,
    ExchangeRule,
    IdJagRule,
    TokenExchange,
)
from oauthcore.token_exchange import among
from tests.core.grants.exchanging import BY_GATEWAY, CHAT_RULE, exchange_site

RULE: dict[str, Any] = {"client_ids": ["gateway"]}
ID_JAG: dict[str, Any] = {"client_ids": ["app"], "audience": "https://chat.example", "client_id_there": "there"}
OF_ID_TOKENS = ExchangeRule(client_ids=["gateway"], subject_token_types=["id_token"])


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"client_ids": []}, "client_ids"),
        ({"client_ids": "gateway"}, "client_ids"),
        ({"subject_token_types": ["saml2"]}, "subject_token_types"),
        ({"subject_token_types": []}, "subject_token_types"),
        ({"subject_client_ids": ["*"]}, "subject_client_ids"),
        ({"subject_token_types": ["refresh_token"], "subject_client_ids": ["app"]}, "subject_client_ids"),
        ({"subject_token_types": ["id_token"], "subject_audience": ["a"]}, "subject_audience"),
        ({"requested_token_types": ["refresh_token"]}, "requested_token_types"),
        ({"mode": "magic"}, "mode"),
        ({"scope": 'a"'}, "scope"),
        ({"lifetime": 0}, "lifetime"),
        ({"allow": ["outlive_subject"]}, "allow"),
        ({"allow": ExchangeAllowance.OUTLIVE_SUBJECT}, "allow"),
    ],
)
def test_a_rule_that_can_not_be_is_refused_by_name(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ExchangeRule(**(RULE | changes))

    assert refused.value.setting == setting


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"client_ids": []}, "client_ids"),
        ({"client_ids": ["app", "other"]}, "client_ids"),
        ({"client_id_there": None}, "client_id_there"),
        ({"audience": "chat"}, "audience"),
        ({"subject_token_types": ["access_token"]}, "subject_token_types"),
        ({"resources": ["/api"]}, "resources"),
        ({"lifetime": 0}, "lifetime"),
    ],
)
def test_a_rule_of_id_jags_that_can_not_be_is_refused_by_name(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        IdJagRule(**(ID_JAG | changes))

    assert refused.value.setting == setting


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({}, "rules"),
        ({"rules": []}, "rules"),
        ({"rules": BY_GATEWAY}, "rules"),
        ({"rules": ["gateway"]}, "rules"),
        ({"rules": [BY_GATEWAY], "decide": lambda _: None}, "rules"),
        ({"decide": "yes"}, "decide"),
    ],
)
def test_settings_that_can_not_be_are_refused_by_name(settings: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        TokenExchange(**settings)

    assert refused.value.setting == setting


@pytest.mark.parametrize(
    ("rule", "settings", "setting"),
    [
        (CHAT_RULE, {"openid": None, "keys": None, "policy": None}, "token_exchange"),
        (IdJagRule(**(ID_JAG | {"audience": "https://as.example/"})), {}, "audience"),
        (
            ExchangeRule(**RULE, subject_token_types=["id_token"]),
            {"openid": None, "policy": None},
            "subject_token_types",
        ),
    ],
    ids=["no keys", "itself", "no ID tokens"],
)
def test_a_server_says_what_it_can_not_do(rule: Any, settings: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        exchange_site(rules=[rule], **settings)

    assert refused.value.setting == setting


def test_a_server_takes_settings_and_nothing_else() -> None:
    with pytest.raises(ConfigurationError, match="token_exchange"):
        exchange_site(rules=None, token_exchange=[BY_GATEWAY])


def test_a_policy_says_one_of_the_two_or_nothing() -> None:
    with pytest.raises(ConfigurationError, match="decide"):
        TokenExchange(decide=lambda _: True).allowed(None)  # type: ignore[arg-type,return-value]  # that is the matter
    with pytest.raises(ConfigurationError, match="audience"):
        AllowedExchange(audience="https://api.example")


def test_resources_are_compared_as_uris_and_names_as_they_are() -> None:
    assert among(["https://API.example/"], ["https://api.example"]) == ("https://API.example/",)
    assert among(["api"], ["API"]) == ()
    assert among(["urn:a:B"], ["URN:a:B"]) == ("urn:a:B",)
