"""`[registration]` and the commands for clients that register themselves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from oauthcore import AsyncWorld, MemoryStorage, Peer, Request, Response, World, arun, run
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Insert
from oauthcore.jose.jwk import set_of
from oauthcore.records.initial_access_token import InitialAccessToken
from oauthcore_h11.assembly import server_of
from oauthcore_h11.cautions import cautions
from oauthcore_h11.configuration import Configuration, read
from oauthcore_h11.engines import Awaited, engine_of
from tests.core.signing_keys import key_for
from tests.h11.test_cli import Shell, shell, stored

__all__ = ["shell"]

OPEN = "\n[registration]\nopen = true\n"
LOOPBACK = "http://127.0.0.1/callback"


def configured(text: str = OPEN) -> Configuration:
    """Add to the configuration, and read it."""
    with Path("oauthcore.toml").open("a") as file:
        file.write(text)
    return read(Path("oauthcore.toml"), {})


def register(configuration: Configuration, *headers: tuple[str, str], **metadata: Any) -> Response:
    """Register at the server that is configured, in its storage."""
    server = server_of(configuration)
    opened = engine_of(configuration).open(configuration)
    try:
        body = json.dumps({"redirect_uris": [LOOPBACK]} | metadata).encode()
        request = Request(
            "POST", "/register", (("Content-Type", "application/json"), *headers), body, Peer("127.0.0.1")
        )
        return asyncio.run(arun(server.handle(request), AsyncWorld(Awaited(opened.storage))))
    finally:
        opened.close()


def registered(configuration: Configuration, **metadata: Any) -> str:
    """Register, and return the client's identifier."""
    return str(json.loads(register(configuration, **metadata).body)["client_id"])


def test_registration_is_off_unless_its_table_is_there(shell: Shell) -> None:
    configuration = configured("")

    assert configuration.registration is None
    assert register(configuration).status == 404


def test_one_setting_opens_registration_to_all_that_the_metadata_names(shell: Shell) -> None:
    response = register(configured())

    assert response.status == 201
    assert json.loads(response.body)["scope"] == "email profile"


def test_a_path_of_its_own(shell: Shell) -> None:
    configuration = configured(OPEN + '[paths]\nregistration = "/connect/register"\n')
    server = server_of(configuration)

    request = Request("GET", "/.well-known/oauth-authorization-server")
    document = run(server.handle(request), World(MemoryStorage()))

    assert json.loads(document.body)["registration_endpoint"] == "http://localhost:8000/connect/register"


def test_an_initial_access_token_is_issued_listed_and_revoked(shell: Shell) -> None:
    configuration = configured("\n[registration]\n")
    assert register(configuration).status == 401
    issued = shell.ask("registration-token", "add", "--uses", "2", "--note", "the build server")
    bearer = ("Authorization", f"Bearer {issued['initial_access_token']}")

    client_id = json.loads(register(configuration, bearer).body)["client_id"]

    (listed,) = shell.ask("registration-token", "list")
    assert (listed["note"], listed["uses"]) == ("the build server", 1)
    assert issued["initial_access_token"] not in shell.run("registration-token", "list")
    assert shell.ask("client", "show", client_id)["registered_by"] == "itself, by the build server"
    shell.run("registration-token", "revoke", listed["digest"])
    assert register(configuration, bearer).status == 401
    assert shell.ask("registration-token", "list") == []


@pytest.mark.parametrize("key", ["-Z7ZHEOTfsbgDhwc", "--7ZHEOTfsbgDhwc", "_Z7ZHEOTfsbgDhwc"])
def test_a_token_is_revoked_whatever_its_digest_begins_with(shell: Shell, key: str) -> None:
    token = InitialAccessToken(key=Digest(key), uses=1, expires_at=2**40)
    assert stored(lambda storage: storage.commit([Insert(token)]))

    assert f"{key} is revoked" in shell.run("registration-token", "revoke", key)


def test_a_digest_that_begins_like_an_option_is_told_how_to_be_written(shell: Shell) -> None:
    configured()

    assert "Write -- before" in shell.run("registration-token", "revoke", "-c7ZHEOTfsbgDhwc", status=2)
    assert "digest" in shell.run("registration-token", "revoke", "--", "-c7ZHEOTfsbgDhwc", status=2)


@pytest.mark.parametrize("command", ["show", "remove", "disable", "enable", "approve", "rotate-secret", "explain"])
def test_a_client_is_named_to_commands_whatever_its_identifier_begins_with(shell: Shell, command: str) -> None:
    assert "no such client" in shell.run("client", command, "-Z7", status=2).replace("name a registered", "no such")


@pytest.mark.parametrize("digest", ["", "0", "0123456789abcdef"])
def test_a_token_that_is_not_listed_is_revoked_by_nobody(shell: Shell, digest: str) -> None:
    configured()

    assert "digest" in shell.run("registration-token", "revoke", digest, status=2)


@pytest.mark.parametrize("option", ["--uses", "--lifetime"])
def test_a_token_of_no_use_is_not_issued(shell: Shell, option: str) -> None:
    configured()

    assert option in shell.run("registration-token", "add", option, "0", status=2)


def test_a_token_is_not_issued_where_nobody_may_register(shell: Shell) -> None:
    assert "[registration]" in shell.run("registration-token", "add", status=2)


def test_a_client_is_listed_with_where_it_came_from(shell: Shell) -> None:
    client_id = registered(configured(), client_name="Something", **{"client_name#de": "Etwas"})
    shell.run("client", "add", "mine", "--redirect-uri", "https://app.example/cb")

    clients = {row["client_id"]: (row["registered_by"], row["state"]) for row in shell.ask("client", "list")}

    assert clients == {"mine": ("the operator", None), client_id: ("itself", "unverified, unused")}
    assert [row["client_id"] for row in shell.ask("client", "list", "--dynamic")] == [client_id]
    shown = shell.ask("client", "show", client_id)
    assert shown["localized"] == ["client_name#de: Etwas"]
    assert "Something" in shell.run("client", "show", client_id)
    assert "dynamic" not in shown


def test_a_client_is_approved_and_removed(shell: Shell) -> None:
    configuration = configured(f"{OPEN}needs_approval = true\n")
    client_id = registered(configuration, client_name="Something")
    assert shell.ask("client", "show", client_id)["state"] == "waits for approval, unused"
    assert shell.ask("client", "show", client_id)["enabled"] is False

    assert "Something" in shell.run("client", "approve", client_id)

    shown = shell.ask("client", "show", client_id)
    assert (shown["state"], shown["enabled"], shown["expires_at"]) == ("approved", True, None)
    shell.run("client", "remove", client_id)
    assert shell.ask("client", "list") == []


def test_a_client_of_the_operators_needs_no_approval(shell: Shell) -> None:
    shell.run("client", "add", "mine", "--redirect-uri", "https://app.example/cb")

    assert "registered itself" in shell.run("client", "approve", "mine", status=2)


def test_unused_clients_are_forgotten_and_others_stay(shell: Shell) -> None:
    configuration = configured()
    unused, approved = (registered(configuration, client_name=name) for name in ("a", "b"))
    shell.run("client", "add", "mine", "--redirect-uri", "https://app.example/cb")
    shell.run("client", "approve", approved)

    assert shell.ask("client", "forget-unused", "--older-than", "60")["removed"] == 0
    assert shell.ask("client", "forget-unused")["removed"] == 1

    assert {row["client_id"] for row in shell.ask("client", "list")} == {approved, "mine"}
    assert unused not in shell.run("client", "list")


@pytest.mark.parametrize("name", ["\x1b[2J", "\x9b31m", "a\rb", "a\nb", "\u202egnp.exe", "\u2066x", "\x00", "\ud800"])
def test_a_name_that_would_speak_to_a_terminal_is_not_registered(shell: Shell, name: str) -> None:
    configuration = configured()

    for member in ("client_name", "client_name#de", "software_id", "logo_uri", "scope"):
        assert register(configuration, **{member: name}).status == 400
    assert register(configuration, redirect_uris=[f"https://app.example/{name}"]).status == 400
    assert register(configuration, contacts=[name]).status == 400


def test_the_issuers_of_software_statements_are_read_from_their_files(shell: Shell) -> None:
    Path("registry.jwks").write_bytes(set_of([key_for("ES256")]))
    statements = '[[registration.software_statements]]\nissuer = "https://registry.example"\njwks_file = "{}"\n'

    configuration = configured("\n[registration]\n" + statements.format("registry.jwks"))

    server = server_of(configuration)
    assert server.registration is not None
    assert [trusted.issuer for trusted in server.registration.software_statements] == ["https://registry.example"]


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("max_clients = -1", "registration.max_clients"),
        ("unused_lifetime = -1", "registration.unused_lifetime"),
        ('schemes = ["javascript"]', "registration.schemes"),
        ('schemes = ["https"]', "registration.schemes"),
        ("opne = true", "registration.opne"),
        ('scope = "\\u0007"', "registration.scope"),
        ('software_statements = [{ issuer = "x", jwks_file = "missing" }]', "registration.software_statements"),
        ('software_statements = [{ issuer = "x", jwks_file = "oauthcore.toml" }]', "registration.software_statements"),
    ],
)
def test_a_setting_that_can_not_be_is_named(shell: Shell, setting: str, named: str) -> None:
    with Path("oauthcore.toml").open("a") as file:
        file.write(f"\n[registration]\n{setting}\n")

    assert named in shell.run("check", status=2)


def test_the_file_says_what_is_in_the_id_tokens_of_clients_that_register_themselves(shell: Shell) -> None:
    usual = server_of(configured()).registration
    Path("oauthcore.toml").write_text(Path("oauthcore.toml").read_text().replace(OPEN, ""))
    wanted = server_of(configured(f'{OPEN}id_token_claims = "all"\n')).registration

    assert usual is not None
    assert wanted is not None
    assert (usual.id_token_claims, wanted.id_token_claims) == ("requested", "all")


def test_zero_is_no_limit_and_is_warned_of_where_anybody_may_register(shell: Shell) -> None:
    configuration = configured(f"{OPEN}max_clients = 0\nunused_lifetime = 0\nmax_from_address = 0\nmax_from_user = 0\n")

    server = server_of(configuration)

    assert server.registration is not None
    assert (server.registration.max_clients, server.registration.max_from_address) == (None, None)
    assert server.registration.max_from_user is None
    warnings = cautions(Path("oauthcore.toml"), configuration)
    assert [warning for warning in warnings if "max_clients" in warning]
    assert [warning for warning in warnings if "max_from_user" in warning]
