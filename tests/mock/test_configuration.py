"""The file of `oauthcore mock`: issuers with what they know, and one line for what is wrong."""

from __future__ import annotations

import tomllib

import pytest

from oauthcore import ConfigurationError
from oauthcore_mock import Browser, Provider
from oauthcore_mock.configuration import configure
from tests.plugin.relying_party import authorization_url, post

FILE = """
[[issuers]]
name = "shop"
audience = "https://api.example"

[[issuers.clients]]
client_id = "web"
redirect_uris = ["http://testserver/callback"]
settings = { name = "Web shop", access_token_format = "opaque" }

[[issuers.users]]
sub = "bob"
claims = { email = "bob@example.com" }

[[issuers.logins]]
sub = "bob"
scope = "openid"

[[issuers.faults]]
endpoint = "token"
fault = 502

[[issuers]]
name = "bank"
shows_form = true
"""


def configured(text: str) -> Provider:
    """Return a provider that a file has set up."""
    provider = Provider("http://localhost:9400")
    configure(provider, tomllib.loads(text))
    return provider


def test_a_file_makes_issuers_with_all_that_they_know() -> None:
    provider = configured(FILE)
    shop, bank = provider.issuers

    callback = Browser(provider).authorize(authorization_url(shop, client_id="web"))

    assert (shop.url, bank.shows_form, callback.error) == ("http://localhost:9400/shop", True, None)
    assert shop.people.find("bob").claims["email"] == "bob@example.com"
    assert post(shop, "/token", None, client_id="web").status == 502


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 3", "declare [[issuers]]"),
        ("issuers = 3", "under [[issuers]]"),
        ("[[issuers]]\naudience = 'x'", "issuers.0.name"),
        ("[[issuers]]\nname = 'x'\nusers = [{ sub = 3 }]", "issuers.0.users.0.sub"),
        ("[[issuers]]\nname = 'x'\nusers = 3", "under [[issuers.users]]"),
        ("[[issuers]]\nname = 'x'\n[[issuers.clients]]", "issuers.0.clients.0.client_id"),
    ],
)
def test_what_is_wrong_is_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _ = configured(text)

    assert said in str(refused.value)
