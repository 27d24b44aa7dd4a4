"""The reference server as an OpenID Provider, from its file: what `[oidc]` says and what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oauthcore import ConfigurationError, Secret
from oauthcore_h11.assembly import new_token_key, passwords_of, server_of
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.declarations import declared
from oauthcore_h11.profiles import Profile
from tests.core.site import members
from tests.h11.test_configuration import reading

LEAST = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'


def served(folder: Path, text: str) -> Any:
    """Make a server of a file's text, and give its metadata."""
    configuration = reading(folder, LEAST + text)
    server = server_of(configuration)
    return members(server._metadata)


def records(configuration: Configuration) -> list[object]:
    """Return what a file declares."""
    passwords = passwords_of(configuration)
    try:
        return list(declared(configuration, server_of(configuration), passwords))
    finally:
        passwords.close()


def test_without_the_table_a_server_knows_oauth_alone(tmp_path: Path) -> None:
    document = served(tmp_path, "")

    assert "userinfo_endpoint" not in document
    assert "jwks_uri" not in document


def test_an_empty_table_makes_a_provider(tmp_path: Path) -> None:
    document = served(tmp_path, "[oidc]\n")

    assert document["userinfo_endpoint"] == "https://as.example/userinfo"
    assert document["ui_locales_supported"] == ["en", "de"]
    assert document["response_types_supported"] == ["code", "code id_token", "id_token", "none"]


def test_what_the_table_says_is_published(tmp_path: Path) -> None:
    text = '[oidc]\nscope_claims = { groups = ["groups", "roles"] }\nop_tos_uri = "https://as.example/tos"\n'
    text += '[oidc.keys]\nalgorithms = ["RS256", "ES256"]\n[policy]\npreset = "oauth20"\n[paths]\nuserinfo = "/me"\n'

    document = served(tmp_path, text)

    assert {"groups", "roles", "email"} <= set(document["claims_supported"])
    assert "groups" in document["scopes_supported"]
    assert document["op_tos_uri"] == "https://as.example/tos"
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert "code id_token token" in document["response_types_supported"]
    assert document["userinfo_endpoint"] == "https://as.example/me"


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('[oidc]\nscope_claims = { me = ["sub"] }\n', "oidc.scope_claims.me"),
        ('[oidc.keys]\nalgorithms = ["ES256"]\n', "keys.algorithms"),
        ('[oidc]\nscope_claims = { me = "sub" }\n', "oidc.scope_claims.me"),
        ("[oidc]\nrequest_objects = 1\n", "oidc.request_objects"),
    ],
)
def test_what_can_not_be_is_named(tmp_path: Path, text: str, setting: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        served(tmp_path, text)

    assert setting in failure.value.setting


def test_a_declared_user_has_a_profile(tmp_path: Path) -> None:
    configuration = reading(tmp_path, LEAST)
    passwords = passwords_of(configuration)
    hashed = passwords.hash(Secret("wonderland"))
    passwords.close()
    user = f'[[users]]\nusername = "alice"\npassword_hash = "{hashed}"\nsubject = "s1"\n'
    user += 'claims = { name = "Alice", email_verified = true, address = { locality = "Oxford" } }\n'

    (profile,) = [r for r in records(reading(tmp_path, LEAST + user)) if isinstance(r, Profile)]

    assert profile.key == "s1"
    assert profile.members == {
        "preferred_username": "alice",
        "name": "Alice",
        "email_verified": True,
        "address": {"locality": "Oxford"},
    }


def test_a_declared_user_s_claims_are_no_dates_and_none_of_ours(tmp_path: Path) -> None:
    user = '[[users]]\nusername = "alice"\npassword_hash = "x"\nclaims = { birthdate = 1970-01-01 }\n'

    with pytest.raises(ConfigurationError, match=r"users\[1\]\.claims"):
        reading(tmp_path, LEAST + user)


def test_a_declared_client_is_held_against_the_keys(tmp_path: Path) -> None:
    client = '[oidc]\n[[clients]]\nclient_id = "rp"\nsecret = "x7QkpL2tvR9_mZ4w"\nredirect_uris = ["https://rp.example/cb"]\n'
    client += 'scope = "openid"\nid_token_signed_response_alg = "ES384"\n'

    with pytest.raises(ConfigurationError, match=r"clients\[1\]\.id_token_signed_response_alg"):
        records(reading(tmp_path, LEAST + client))
