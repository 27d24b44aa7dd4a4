"""Every piece of configuration that a page shows is one that is read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from oauthcore import Allowance, CodeBinding, Secret, UnknownScope
from oauthcore_h11.assembly import new_token_key, server_of
from oauthcore_h11.configuration.sample import sample
from oauthcore_h11.declarations import declared_client
from tests.h11.test_configuration import reading

ROOT = Path(__file__).parent.parent.parent
# The file of `oauthcore mock` is another one: tests/mock/test_page.py reads it.
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")} - {ROOT / "docs" / "mock.md"})
BLOCKS = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, text in enumerate(re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))
]
ENVIRONMENT = {
    "OAUTHCORE_TOKEN_KEY": "k" * 43,
    "OAUTHCORE_STORAGE": "sqlite:oauthcore.db",
    "MY_APP_SECRET": "s" * 43,
    "FILES_SECRET": "f" * 43,
}


def whole(block: str) -> str:
    """Return a piece of configuration with what every file has, where it does not say that itself."""
    least = {"issuer": '"https://as.example"', "token_key": f'"{"k" * 43}"'}
    return "".join(f"{name} = {value}\n" for name, value in least.items() if name not in tomllib.loads(block)) + block


@pytest.mark.parametrize("block", BLOCKS)
def test_each_piece_of_configuration_in_the_documents_is_read(tmp_path: Path, block: str) -> None:
    assert reading(tmp_path, whole(block), **ENVIRONMENT).issuer.startswith("https://")


def test_the_page_about_pkce_shows_how_it_is_demanded_from_everybody(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "without-pkce.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    configuration = reading(tmp_path, whole(block))

    assert server_of(configuration).policy.code_binding is CodeBinding.PKCE


@pytest.mark.parametrize("value", UnknownScope)
def test_what_becomes_of_an_unknown_scope_is_said_for_all_and_for_one(tmp_path: Path, value: UnknownScope) -> None:
    block = (
        f'[policy]\nunknown_scope = "{value.value}"\n[[clients]]\nclient_id = "one"\nsecret = "4tQ9xT2bK7mWc8Zp"\n'
        f'redirect_uris = ["https://one.example/cb"]\nunknown_scope = "{value.value}"\n'
    )
    configuration = reading(tmp_path, whole(block))
    server = server_of(configuration)

    assert server.policy.unknown_scope is value
    client = declared_client("clients[1]", configuration.clients[0], server)
    assert client.unknown_scope is value


def test_the_sample_names_every_allowance() -> None:
    text = sample("https://as.example", Secret(new_token_key().reveal()))

    assert {allowance for allowance in Allowance if f'#   "{allowance.name.lower()}"' in text} == set(Allowance)
