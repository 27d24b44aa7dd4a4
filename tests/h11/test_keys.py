"""Signing keys as an operator has them: in the storage or in files, turned by commands, and known to every worker."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import attrs
import pytest
from joserfc.jwk import RSAKey

from oauthcore import ConfigurationError, Request
from oauthcore.flow.effects import Sign
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore.records.key_ring import KeyRing
from oauthcore.records.lifecycle import KeyState
from oauthcore.signing.keys import StoredKeys
from oauthcore.testing import FixedClock
from oauthcore_h11 import signing
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import keys_of, new_token_key
from oauthcore_h11.configuration.tables import Configuration, KeysTable, OidcTable
from oauthcore_h11.key_files import KeyFiles
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.passwords import Passwords
from oauthcore_h11.service import application_of
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from tests.core.signing_keys import RSA_2048, key_for
from tests.h11.installation import Installation
from tests.h11.test_cli import Shell, shell

__all__ = ["shell"]

pytestmark = pytest.mark.anyio

TABLE = KeysTable(
    algorithms=("RS256", "ES256"),
    active_lifetime=10_000,
    published_lifetime=500,
    signed_lifetime=300,
    jwks_lifetime=200,
)


def configuration(folder: Path, keys: KeysTable) -> Configuration:
    """Return a configuration with keys."""
    return Configuration(
        folder=folder, issuer="https://as.example", token_key=new_token_key(), oidc=OidcTable(keys=keys)
    )


@attrs.define
class Worker:
    """Be one process: an application and a storage of its own, over the one file."""

    application: Application
    storage: SqliteStorage

    async def published(self) -> list[str]:
        """Return the names of the keys for ES256 that it publishes."""
        response = await self.application(Request("GET", "/jwks"))
        assert response.status == 200, response.refusal
        return [key["kid"] for key in json.loads(response.body)["keys"] if key["alg"] == "ES256"]


@pytest.fixture
def clock() -> FixedClock:
    """Return the time that all workers have."""
    return FixedClock()


@pytest.fixture
def workers(tmp_path: Path, clock: FixedClock) -> Iterator[list[Worker]]:
    """Return two workers."""
    settings, passwords = configuration(tmp_path, TABLE), Passwords(memory=64, passes=1, at_once=1)
    made = []
    for _ in range(2):
        storage = SqliteStorage(settings.database, synchronous="NORMAL")
        application = application_of(settings, AsyncSqliteStorage(storage), passwords, Monitoring(), clock=clock)
        made.append(Worker(application, storage))
    yield made
    for worker in made:
        worker.storage.close()
    passwords.close()


async def test_all_workers_see_a_rotation_without_a_restart(workers: list[Worker], clock: FixedClock) -> None:
    one, other = workers
    (first,) = await one.published()
    assert await other.published() == [first]

    clock.advance(10)
    keys = one.application.server.keys.key_set
    assert isinstance(keys, StoredKeys)
    ring = one.storage.find(KeyRing, "https://as.example")
    await asyncio.gather(one.application.look_after_keys(int(clock.now)), asyncio.sleep(0))
    assert one.storage.find(KeyRing, "https://as.example") == ring
    clock.advance(TABLE.active_lifetime - TABLE.published_lifetime)
    await one.application.look_after_keys(int(clock.now))
    published = await one.published()

    assert len(published) == 2
    assert await other.published() == published
    clock.advance(TABLE.published_lifetime)
    await other.application.look_after_keys(int(clock.now))
    assert await other.published() == await one.published() == [published[1], published[0]]
    clock.advance(TABLE.signed_lifetime + TABLE.cache_lifetime)
    assert await one.published() == await other.published() == [published[1]]


async def test_two_workers_that_start_at_once_agree(workers: list[Worker], clock: FixedClock) -> None:
    await asyncio.gather(*(worker.application.look_after_keys(int(clock.now)) for worker in workers))

    one, other = [await worker.published() for worker in workers]
    assert one == other and len(one) == 1


async def test_a_server_without_the_table_has_no_keys(tmp_path: Path) -> None:
    assert keys_of(attrs.evolve(configuration(tmp_path, TABLE), oidc=None)) is None


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES384"])
async def test_a_costly_signature_is_made_aside_and_the_event_loop_goes_on(alg: str) -> None:
    key = key_for(alg)

    signed = asyncio.ensure_future(signing.sign(Sign(((Jwt({"sub": "alice"}, alg), key),))))
    await asyncio.sleep(0)

    assert not signed.done()
    assert crypto.verify((await signed)[0], [key.public], [alg]).claims == {"sub": "alice"}


async def test_a_cheap_signature_is_made_in_place() -> None:
    asked = Sign(((Jwt({"sub": "alice"}, "ES256"), key_for("ES256")),))

    # What never waits is done at its first step.
    with pytest.raises(StopIteration) as done:
        signing.sign(asked).send(None)

    assert crypto.verify(done.value.value[0], [key_for("ES256").public], ["ES256"]).claims == {"sub": "alice"}


async def test_a_key_is_made_aside() -> None:
    assert (await signing.generate_key("ES256")).alg == "ES256"


def files(folder: Path, *keys: Any, cache_lifetime: int = 60) -> KeyFiles:
    """Return keys in files."""
    paths = [folder / f"{number}.json" for number in range(len(keys))]
    for path, key in zip(paths, keys, strict=True):
        path.write_text(key.text, encoding="utf-8")
    return KeyFiles(paths, jwks_lifetime=200, cache_lifetime=cache_lifetime)


def at(known: KeyFiles, now: int) -> list[str]:
    """Return what is published at a time."""
    with pytest.raises(StopIteration) as done:
        known.current(now).send(None)
    return [key.kid for key in done.value.value.published]


async def test_keys_in_files_are_read_again_when_they_change(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = files(tmp_path, key_for("ES256"), key_for("EdDSA"))
    assert known.algorithms == ("ES256", "EdDSA")
    assert at(known, 100) == [key_for("ES256").kid, key_for("EdDSA").kid]

    replace(tmp_path / "0.json", key_for("ES256", 1).text)

    assert at(known, 159) == [key_for("ES256").kid, key_for("EdDSA").kid]
    assert at(known, 160) == [key_for("ES256", 1).kid, key_for("EdDSA").kid]
    replace(tmp_path / "0.json", "no key")
    assert at(known, 220) == [key_for("ES256", 1).kid, key_for("EdDSA").kid]
    (tmp_path / "0.json").unlink()
    assert at(known, 280) == [key_for("ES256", 1).kid, key_for("EdDSA").kid]
    assert caplog.text.count("the signing keys stay as they were") == 2


def replace(path: Path, text: str) -> None:
    """Put another file in the place of one, as careful operators do."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)


async def test_keys_in_files_that_are_not_read_at_once_are_named(tmp_path: Path) -> None:
    """A file that is gone between the look at it and the reading."""
    known = files(tmp_path, key_for("ES256"))
    path = tmp_path / "0.json"
    path.unlink()
    path.mkdir()

    assert at(known, 100) == [key_for("ES256").kid]


async def test_a_key_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(key_for("ES256").text, encoding="utf-8-sig")

    known = KeyFiles((path,), jwks_lifetime=200, cache_lifetime=60)

    assert at(known, 100) == [key_for("ES256").kid]


@pytest.mark.parametrize("former", [key_for("ES256", 1), key_for("ES256", 1).public])
async def test_former_keys_in_files_are_known_in_hints_and_not_published(tmp_path: Path, former: Jwk) -> None:
    (tmp_path / "former.json").write_text(former.text, encoding="utf-8")
    (tmp_path / "key.json").write_text(key_for("ES256").text, encoding="utf-8")
    table = KeysTable(files=(tmp_path / "key.json",), hint_files=(tmp_path / "former.json",))

    known = keys_of(configuration(tmp_path, table))

    assert isinstance(known, KeyFiles)
    assert at(known, 100) == [key_for("ES256").kid]
    with pytest.raises(StopIteration) as done:
        known.current(100).send(None)
    assert done.value.value.remembered == (former.public,)


@pytest.mark.parametrize("text", [None, "no key", key_for("ES256").text])
async def test_a_former_key_that_can_not_be_one_is_named(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "key.json").write_text(key_for("ES256").text, encoding="utf-8")
    if text is not None:
        (tmp_path / "former.json").write_text(text, encoding="utf-8")
    table = KeysTable(files=(tmp_path / "key.json",), hint_files=(tmp_path / "former.json",))

    with pytest.raises(ConfigurationError) as refusal:
        keys_of(configuration(tmp_path, table))

    assert refusal.value.setting == "oidc.keys.hint_files"


def test_former_keys_are_for_keys_in_files() -> None:
    with pytest.raises(ConfigurationError, match=r"hint_files.*by themselves"):
        KeysTable(hint_files=(Path("former.pem"),))


@pytest.mark.parametrize("text", [None, "no key", key_for("ES256").public.text])
async def test_a_key_file_without_a_key_is_named_at_the_start(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "key.pem"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as refusal:
        keys_of(configuration(tmp_path, KeysTable(files=(path,))))

    assert (refusal.value.setting, refusal.value.value) == ("oidc.keys.files", str(path))


async def test_settings_of_keys_that_can_not_be_are_named_as_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^oidc\.keys\.published_lifetime = 1"):
        keys_of(configuration(tmp_path, KeysTable(published_lifetime=1)))
    with pytest.raises(ConfigurationError, match=r"^algorithms"):
        KeysTable(algorithms=("ES256",), files=(Path("a"),))


def with_table(shell: Shell, table: str) -> None:
    """Add a table to the configuration."""
    config = Path("oauthcore.toml")
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{table}\n", encoding="utf-8")


def listed(shell: Shell) -> list[Any]:
    """List the keys for ES256."""
    return [row for row in shell.ask("keys", "list") if row["alg"] == "ES256"]


@pytest.mark.slow
def test_keys_are_listed_rotated_and_brought_in(shell: Shell, tmp_path: Path) -> None:
    with_table(shell, '[oidc.keys]\nalgorithms = ["RS256", "ES256"]')
    file = tmp_path / "mine.json"
    file.write_text(key_for("ES256", 3).text, encoding="utf-8")

    first = listed(shell)[0]
    second = shell.ask("keys", "rotate", "--alg", "ES256")
    refused = shell.run("keys", "import", str(file), status=2)
    third = shell.ask("keys", "import", str(file), "--now")

    assert (first["alg"], first["state"], second["state"], third["state"]) == ("ES256", "active", "published", "active")
    assert "is published already and waits" in refused
    assert third["kid"] == key_for("ES256", 3).kid
    states = {row["kid"]: row["state"] for row in listed(shell)}
    assert states == {first["kid"]: "retired", third["kid"]: "active"}
    assert "signs from " in shell.run("keys", "rotate", "--alg", "ES256")
    assert third["kid"] in shell.run("keys", "list")


def test_a_key_is_read_from_standard_input(shell: Shell) -> None:
    with_table(shell, '[oidc.keys]\nalgorithms = ["RS256", "ES256"]')

    said = shell.run("keys", "import", typed=key_for("ES256", 4).text)

    assert said == f"{key_for('ES256', 4).kid} (ES256) is published, and signs now.\n"


def test_commands_say_what_is_missing(shell: Shell, tmp_path: Path) -> None:
    assert "add the table [oidc]" in shell.run("keys", "list", status=2)
    assert "add the table [oidc]" in shell.run("keys", "rotate", status=2)
    with_table(shell, '[oidc.keys]\nalgorithms = ["RS256", "ES256"]')
    assert "name one of RS256, ES256" in shell.run("keys", "rotate", status=2)
    assert "add it to the algorithms" in shell.run("keys", "rotate", "--alg", "PS256", status=2)
    assert "it can't be read" in shell.run("keys", "import", str(tmp_path / "none"), status=2)
    assert "unencrypted" in shell.run("keys", "import", typed="nothing", status=2)


def test_keys_in_files_are_listed_and_not_rotated(shell: Shell, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(key_for("ES256", number).text, encoding="utf-8")
    (tmp_path / "rsa.json").write_text(key_for("RS256").text, encoding="utf-8")
    with_table(shell, '[oidc.keys]\nfiles = ["1.json", "2.json", "rsa.json"]')

    rows = listed(shell)

    assert [(row["kid"], row["state"]) for row in rows] == [
        (key_for("ES256", 1).kid, "active"),
        (key_for("ES256", 2).kid, "published"),
    ]
    assert "change them there" in shell.run("keys", "rotate", status=2)


def test_another_token_key_is_named_before_anything_is_served(shell: Shell) -> None:
    with_table(shell, '[oidc.keys]\nalgorithms = ["RS256", "ES256"]')
    shell.run("keys", "list")
    config = Path("oauthcore.toml")
    lines = config.read_text(encoding="utf-8").splitlines()
    other = [f'token_key = "{new_token_key().reveal()}"' if line.startswith("token_key") else line for line in lines]
    config.write_text("\n".join([*other, ""]).replace('["localhost:8000"]', '["127.0.0.1:0"]'), encoding="utf-8")

    assert "sealed under another one" in shell.run("serve", status=2)
    for alg in ("RS256", "ES256"):
        assert "signs now" in shell.run("keys", "rotate", "--alg", alg, "--now")


@pytest.mark.slow
def test_two_processes_serve_a_key_that_a_command_has_made(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure(
        '[oidc.keys]\nalgorithms = ["RS256", "ES256"]\njwks_lifetime = 1\ncache_lifetime = 1\npublished_lifetime = 2'
    )
    with installation.serving("--workers", "2") as running:
        host, _, port = running.bind.rpartition(":")
        connections = [HTTPConnection(host, int(port), timeout=60) for _ in range(16)]
        (first,) = {kid for connection in connections for kid in published(connection)}

        second = installation.ask("keys", "rotate", "--alg", "ES256")["kid"]

        for connection in connections:
            while set(published(connection)) != {first, second}:
                pass
        while published(connections[0])[0] != second:
            pass
        for connection in connections:
            connection.close()
    storage = SqliteStorage(tmp_path / "oauthcore.db")
    ring = storage.find(KeyRing, "http://localhost:8000")
    storage.close()
    assert ring is not None
    assert {key.kid: key.state for key in ring.keys if key.alg == "ES256"} == {
        first: KeyState.RETIRED,
        second: KeyState.ACTIVE,
    }


def published(connection: HTTPConnection) -> list[str]:
    """Ask for the published keys for ES256, over one connection and so of one process."""
    connection.request("GET", "/jwks")
    return [key["kid"] for key in json.loads(connection.getresponse().read())["keys"] if key["alg"] == "ES256"]


@pytest.mark.slow
def test_a_private_rsa_key_is_brought_in_as_pem(shell: Shell) -> None:
    with_table(shell, "[oidc.keys]")
    pem = RSAKey.import_key({name: str(value) for name, value in RSA_2048.items()}).as_pem(private=True).decode()

    assert shell.ask("keys", "import", typed=pem)["alg"] == "RS256"
    # The one algorithm that there is needs no naming.
    assert shell.ask("keys", "rotate")["alg"] == "RS256"
