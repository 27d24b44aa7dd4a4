"""What an operator is warned of: files that everybody can read, and secrets that can be guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.cautions import cautions
from oauthcore_h11.configuration import read

KEY = new_token_key().reveal()
LEAST = 'issuer = "http://localhost"\n'


def warned(folder: Path, text: str, mode: int = 0o600) -> tuple[str, ...]:
    """Write a configuration, read it, and return its warnings."""
    path = folder / "oauthcore.toml"
    path.write_text(LEAST + text)
    path.chmod(mode)
    return cautions(path, read(path, {}))


def private(path: Path, content: str, mode: int = 0o600) -> Path:
    """Write a file."""
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("mode", "act"), [(0o644, "read"), (0o604, "read"), (0o666, "read"), (0o602, "write")])
def test_a_configuration_with_the_token_key_that_everybody_can_open_is_warned_of(
    tmp_path: Path, mode: int, act: str
) -> None:
    (warning,) = warned(tmp_path, f'token_key = "{KEY}"\n', mode)

    path = tmp_path / "oauthcore.toml"
    assert warning == (
        f"everybody on this machine can {act} {path} (mode {mode:04o}), which holds token_key: chmod o= {path}"
    )


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o400])
def test_a_configuration_that_others_can_not_open_is_not_warned_of(tmp_path: Path, mode: int) -> None:
    assert warned(tmp_path, f'token_key = "{KEY}"\n', mode) == ()


def test_a_configuration_whose_secrets_are_elsewhere_may_be_read_by_everybody(tmp_path: Path) -> None:
    private(tmp_path / "key", KEY)

    assert warned(tmp_path, 'token_key = { file = "key" }\nstorage = "redis://localhost/0"\n', 0o644) == ()


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ('storage = "redis://:hush@localhost/0"', "storage"),
        ('[[users]]\nusername = "a"\npassword_hash = "hush"', "users[1].password_hash"),
        ('[ciba]\nnotify_url = "https://push.example"\nnotify_token = "hush"', "ciba.notify_token"),
        ('[[clients]]\nclient_id = "a"\nsecret = "4tQ9xT2bK7mWc8ZpRj5nVd3hGs6yLf"', "clients[1].secret"),
    ],
)
def test_each_secret_in_the_configuration_makes_it_one_to_be_kept(tmp_path: Path, setting: str, name: str) -> None:
    private(tmp_path / "key", KEY)

    (warning,) = warned(tmp_path, f'token_key = {{ file = "key" }}\n{setting}\n', 0o644)

    assert f"which holds {name}: " in warning
    assert "hush" not in warning


@pytest.mark.parametrize(
    ("settings", "file", "holds"),
    [
        ('token_key = { file = "key" }', "key", "token_key"),
        ('token_key = "KEY"\nstorage = { file = "url" }', "url", "storage"),
        ('token_key = "KEY"', "oauthcore.db", "who authorized what"),
        ('token_key = "KEY"\n[tls]\ncertificate = "cert.pem"\nkey = "tls.pem"', "tls.pem", "tls.key"),
        ('token_key = "KEY"\n[oidc.keys]\nfiles = ["signing.pem"]', "signing.pem", "a signing key"),
    ],
)
def test_each_file_that_holds_a_secret_is_looked_at(tmp_path: Path, settings: str, file: str, holds: str) -> None:
    private(tmp_path / file, KEY if file == "key" else "redis://localhost/0", 0o644)

    (warning,) = warned(tmp_path, settings.replace("KEY", KEY))

    assert f"can read {tmp_path / file} (mode 0644), which holds {holds}: " in warning


def test_a_client_secret_below_128_bits_is_warned_of_unseen(tmp_path: Path) -> None:
    text = f'token_key = "{KEY}"\n[[clients]]\nclient_id = "a"\nsecret = "letmein"\n'

    (warning,) = warned(tmp_path, text)

    assert warning.startswith("clients[1].secret: it has ")
    assert "letmein" not in warning


def test_a_token_key_that_is_not_random_is_warned_of(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, f'token_key = "{"A" * 43}"\n')

    assert warning.startswith("token_key is not random")


MCP = f'token_key = "{KEY}"\n[scopes]\nfiles = "Read files"\n[oidc]\n'


@pytest.mark.parametrize("table", ["registration", "client_id_metadata"])
def test_a_scope_of_unknown_clients_that_has_mcp_clients_refused_at_each_login_is_warned_of(
    tmp_path: Path, table: str
) -> None:
    (warning,) = warned(tmp_path, f'{MCP}[{table}]\nscope = "files"\n')

    assert warning == (
        f"{table}.scope lacks offline_access, which MCP clients ask for where OpenID Connect is on: "
        'add it, or set policy.unknown_scope = "ignore"'
    )


@pytest.mark.parametrize(
    "text",
    [
        MCP + '[registration]\nscope = "files offline_access"\n',
        MCP + '[registration]\nscope = "files"\n[policy]\nunknown_scope = "ignore"\n',
        MCP + "[registration]\n",
        MCP.replace("[oidc]", "") + '[registration]\nscope = "files"\n',
    ],
)
def test_a_scope_of_unknown_clients_that_mcp_clients_get_along_with_is_not_warned_of(tmp_path: Path, text: str) -> None:
    assert warned(tmp_path, text) == ()


@pytest.mark.parametrize(
    "rule",
    [
        '[[token_exchange]]\nclient_ids = ["app", "elsewhere"]\n',
        '[[id_jag]]\nclient_ids = ["app"]\naudience = "https://chat.example"\nclient_id_there = "a"\n',
    ],
    ids=["token_exchange", "id_jag"],
)
def test_a_client_that_may_exchange_and_is_not_registered_for_it_is_warned_of(tmp_path: Path, rule: str) -> None:
    client = f'[[clients]]\nclient_id = "app"\nsecret = "{new_token_key().reveal()}"\n'
    granted = 'grant_types = ["urn:ietf:params:oauth:grant-type:token-exchange"]\nresponse_types = []\n'
    text = f'token_key = "{KEY}"\n[oidc]\n{rule}{client}'

    (warning,) = warned(tmp_path, text)

    assert "[1] names the client app, whose grant_types lack urn:ietf:params:oauth:grant-type:token-exchange" in warning
    assert warned(tmp_path, text + granted) == ()


def test_limits_that_are_off_are_warned_of(tmp_path: Path) -> None:
    limits = "max_pending = 0\nmax_unknown = 0\n"

    pending, unknown = warned(tmp_path, f'token_key = "{KEY}"\n[oidc]\n[ciba]\n{limits}')

    assert "leave ciba.max_pending(_of_user) above 0" in pending
    assert "leave ciba.max_unknown above 0" in unknown
    assert warned(tmp_path, f'token_key = "{KEY}"\n[oidc]\n[ciba]\n') == ()


def test_a_client_that_has_to_sign_what_it_asks_and_has_no_key_is_warned_of(tmp_path: Path) -> None:
    client = f'[[clients]]\nclient_id = "till"\nsecret = "{new_token_key().reveal()}"\nscope = "openid"\n'
    client += 'grant_types = ["urn:openid:params:grant-type:ciba"]\nbackchannel_token_delivery_mode = "poll"\n'
    text = f'token_key = "{KEY}"\n[oidc]\n[ciba]\nrequire_signed = true\n{client}'

    (warning,) = warned(tmp_path, text)

    assert "clients[1] has to sign its requests (ciba.require_signed)" in warning
    assert warned(tmp_path, text + 'jwks_uri = "https://till.example/jwks"\n') == ()
