"""A client as a host writes it: whatever its lists are, it is a value that can be hashed and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Insert, Replace
from oauthcore.records.client import ClientSecret
from oauthcore.storage.memory import MemoryStorage
from oauthcore_sqlite import SqliteStorage

SECRET = ClientSecret(Digest("5" * 64))
GIVEN: dict[str, Any] = {
    "secrets": [SECRET],
    "localized": [["client_name#de", "Fernseher"], ("client_name#fr", "Télé")],
    "redirect_uris": ["https://app.example/cb"],
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
    "contacts": ["a@b.example"],
    "request_uris": ["https://app.example/r"],
    "default_acr_values": ["pwd"],
    "post_logout_redirect_uris": ["https://app.example/"],
    "require": ["group:staff"],
    "scope": ["a", "b"],
    "default_scope": ["a"],
    "allow": [],
    "authorization_details_types": ["payment"],
    "jwks": {"keys": []},
}
SEQUENCES = [
    field.name
    for field in attrs.fields(Client)
    if any(word in str(field.type) for word in ("tuple", "frozenset", "Scope", "Mapping"))
    and "Unknown" not in field.name
]


def test_every_setting_that_is_a_list_is_tried_here() -> None:
    assert set(SEQUENCES) - {"unknown_scope"} <= set(GIVEN)


@pytest.mark.parametrize("setting", GIVEN)
def test_client_with_lists_is_the_same_value_as_one_with_tuples(setting: str) -> None:
    given = Client(client_id="app", **{setting: GIVEN[setting]})
    value = getattr(given, setting)

    assert hash(given) == hash(Client(client_id="app", **{setting: value}))
    assert given == Client(client_id="app", **{setting: value})


def test_names_in_other_languages_may_be_given_as_a_mapping() -> None:
    given = Client(client_id="app", localized={"client_name#de": "Fernseher"})

    assert given.localized == (("client_name#de", "Fernseher"),)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("localized", "client_name#de"),
        ("localized", ["client_name#de"]),
        ("localized", [("client_name#de",)]),
        ("localized", [("client_name#de", 7)]),
        ("localized", [("client_name#de", "a", "b")]),
        ("localized", 7),
        ("secrets", "hunter2"),
        ("secrets", ["hunter2"]),
        ("secrets", SECRET),
        ("secrets", 7),
    ],
)
def test_what_is_no_list_of_these_is_refused_by_its_name(setting: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Client(client_id="app", **{setting: value})

    assert refused.value.setting == setting
    assert "hunter2" not in str(refused.value)


def test_client_with_lists_is_kept_by_every_storage(tmp_path: Path) -> None:
    client = Client(client_id="app", **GIVEN)
    sqlite = SqliteStorage(tmp_path / "oauthcore.db")
    try:
        for storage in (MemoryStorage(), sqlite):
            assert storage.commit((Insert(client),))
            found = storage.find(Client, "app")
            assert found == client
            assert storage.commit((Replace(client, attrs.evolve(client, name="App")),))
    finally:
        sqlite.close()
