"""`[[resources]]` and `[resource_policy]`: which APIs tokens are issued for, by the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oauthcore import Client, ConfigurationError, MemoryStorage, Request, ScopeHierarchy, World, run
from oauthcore_h11.assembly import new_token_key, server_of
from oauthcore_h11.configuration import Configuration, read
from tests.h11.test_cli import Shell, shell

__all__ = ["shell"]

CLIENT = Client(client_id="app")
API = """
[[resources]]
uri = "https://api.example/mcp"
name = "Files"
scopes = "files files:read"
access_token_lifetime = 60
client_ids = ["app"]
introspected_by = ["api"]
"""


def configured(folder: Path, text: str) -> Configuration:
    """Read a file with that in it."""
    path = folder / "oauthcore.toml"
    path.write_text(f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n{text}')
    return read(path, {})


def test_a_file_without_resources_is_a_server_without(tmp_path: Path) -> None:
    configuration = configured(tmp_path, "")

    assert server_of(configuration).resources is None


def test_the_resources_of_the_file_are_those_of_the_server(tmp_path: Path) -> None:
    configuration = configured(tmp_path, API)

    resources = server_of(configuration).resources

    assert resources is not None
    (api,) = resources.registered
    assert (api.uri, api.name, api.access_token_lifetime) == ("https://api.example/mcp", "Files", 60)
    assert list(api.scopes or ()) == ["files", "files:read"]
    assert (api.client_ids, api.introspected_by) == (frozenset({"app"}), frozenset({"api"}))


def test_the_policy_says_what_is_meant_by_default_and_what_else_may_be_named(tmp_path: Path) -> None:
    policy = """
[resource_policy]
default = "https://api.example/mcp"
trailing_slash = "ignored"
unregistered = "any"
below = ["https://mcp.example"]
"""
    configuration = configured(tmp_path, API + policy)

    resources = server_of(configuration).resources

    assert resources is not None and resources.default == "https://api.example/mcp"
    found = [
        resources.find(uri, CLIENT)
        for uri in ("https://api.example/mcp/", "https://mcp.example/a", "https://other.example")
    ]
    assert [resource and resource.uri for resource in found] == [
        "https://api.example/mcp",
        "https://mcp.example/a",
        None,
    ]


def test_a_resource_that_wants_signed_tokens_has_them_by_the_keys_of_openid_connect(tmp_path: Path) -> None:
    text = '[oidc]\n[[resources]]\nuri = "https://api.example"\naccess_token_format = "jwt"\n'
    configuration = configured(tmp_path, text)
    server = server_of(configuration)

    document = run(server.handle(Request("GET", "/.well-known/oauth-authorization-server")), World(MemoryStorage()))

    assert server.resources is not None and server.resources.registered[0].access_token_signing_alg == "RS256"
    assert json.loads(document.body)["protected_resources"] == ["https://api.example"]


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('[[resources]]\nuri = "api"', "resources[1].uri"),
        ('[[resources]]\nuri = "https://a"\naccess_token_format = "jwt"', "resources[1].access_token_format"),
        ('[[resources]]\nuri = "https://a"\naccess_token_lifetime = 0', "resources[1].access_token_lifetime"),
        ('[[resources]]\nuri = "https://a"\nclaims = ["sub"]', "resources[1].claims"),
        ('[[resources]]\nuri = "https://a"\nfixed_claims = { scope = "admin" }', "resources[1].fixed_claims"),
        (
            '[oidc]\n[[resources]]\nuri = "https://a"\naccess_token_signing_alg = "ES256"',
            "resources[1].access_token_signing_alg",
        ),
        ('[[resources]]\nuri = "https://a"\n[[resources]]\nuri = "https://A/"', "resources"),
        ('[resource_policy]\ndefault = "https://a"', "resource_policy.default"),
        ('[resource_policy]\nunregistered = "any"\nbelow = ["x"]', "resource_policy.below"),
    ],
)
def test_resources_that_can_not_be_are_named_with_a_remedy(tmp_path: Path, text: str, setting: str) -> None:
    configuration = configured(tmp_path, text)

    with pytest.raises(ConfigurationError) as raised:
        server_of(configuration)

    assert raised.value.setting == setting
    assert raised.value.remedy


def test_below_without_any_is_a_setting_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unregistered"):
        configured(tmp_path, '[resource_policy]\nbelow = ["https://a"]')


def test_check_tells_of_a_wrong_resource_in_one_line_and_ends_with_2(shell: Shell) -> None:
    with Path("oauthcore.toml").open("a") as file:
        file.write('\n[[resources]]\nuri = "https://api.example#x"\n')

    told = shell.run("check", status=2)

    assert "resources[1].uri" in told
    assert "fragment" in told


def test_scopes_that_imply_others_are_the_policys(tmp_path: Path) -> None:
    configuration = configured(tmp_path, '[policy]\nimplies = { files = ["files:read"] }\n')

    policy = server_of(configuration).policy

    assert policy.implies == ScopeHierarchy({"files": ["files:read"]})


def test_what_is_implied_and_is_no_scope_is_told_by_its_place(tmp_path: Path) -> None:
    configuration = configured(tmp_path, "[policy]\nimplies = { files = ['\"'] }\n")

    with pytest.raises(ConfigurationError, match="implies") as raised:
        server_of(configuration)

    assert raised.value.setting == "policy.implies"
