"""The page on token exchange: its code runs, its tables can be read, and its function decides as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from oauthcore import Client, ExchangeRequest, Scope, VerifiedToken
from oauthcore.token_exchange import GRANT_TYPE, IdJagRule
from oauthcore_h11.assembly import token_exchange_of
from oauthcore_h11.configuration import read

PAGE = (Path(__file__).parent.parent / "docs" / "token-exchange.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)  # it is our own page
    return names


def test_both_servers_offer_the_grant(names: dict[str, Any]) -> None:
    assert names["TOKEN_EXCHANGE"] == GRANT_TYPE
    assert isinstance(names["provider"].token_exchange.rules[0], IdJagRule)
    assert names["server"].token_exchange.rules[0].audience == ("https://api.example",)


def test_the_table_of_the_file_says_the_same_as_the_rule(names: dict[str, Any], tmp_path: Path) -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "oauthcore.toml"
    path.write_text(f'issuer = "https://as.example"\ntoken_key = "x"\n{toml}')

    exchange = token_exchange_of(read(path, {}))

    assert exchange is not None and exchange.rules == names["server"].token_exchange.rules


@pytest.mark.parametrize(
    ("audience", "targets", "is_allowed"),
    [
        ("https://internal.example/mail", ["https://internal.example/files"], True),
        ("https://internal.example/other", ["https://internal.example/files"], False),
        ("https://internal.example/mail", ["https://elsewhere.example/files"], False),
        ("https://internal.example/mail", [], False),
    ],
)
def test_the_function_lets_a_service_go_on_with_what_was_sent_to_it(
    names: dict[str, Any], audience: str, targets: list[str], is_allowed: bool
) -> None:
    subject = VerifiedToken(
        type="access_token",
        client_id="app",
        subject="alice",
        scope=Scope(("read",)),
        audience=(audience,),
        expires_at=1,
        issuer="https://as.example",
    )
    request = ExchangeRequest(client=Client(client_id="mail"), subject=subject, resources=tuple(targets))

    assert (names["decide"](request) is not None) is is_allowed
