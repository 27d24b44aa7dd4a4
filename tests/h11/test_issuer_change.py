"""Another issuer over the same storage, as `check`, a start and a reload meet it."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from oauthcore import Client, ConfigurationError, Secret
from oauthcore.digest import Digester
from oauthcore.flow.outcome import Insert
from oauthcore.records.client import ClientSecret
from oauthcore_h11.configuration import read
from oauthcore_h11.issuer_change import look_at_issuer, named
from oauthcore_sqlite import SqliteStorage
from tests.h11.installation import Installation, Running
from tests.h11.test_cli import Shell, shell, stored
from tests.h11.test_serving import until

FIRST, SECOND = "http://localhost:8000", "http://localhost:9000"

__all__ = ["shell"]  # a fixture


def start(*, remember: bool = True) -> tuple[str, ...]:
    """Look as a server does that starts."""
    return look_at_issuer(read(Path("oauthcore.toml"), os.environ), remember=remember)


def move(issuer: str) -> None:
    """Change the issuer in the file."""
    file = Path("oauthcore.toml")
    lines = file.read_text().splitlines()
    file.write_text("\n".join(f'issuer = "{issuer}"' if line.startswith("issuer =") else line for line in lines))


def earlier(name: str = "old") -> Client:
    """Make a client as an earlier version remembered it."""
    digest = Digester(FIRST)("client_secret_of_issuer", Secret("s"))
    return Client(client_id=name, secrets=(ClientSecret(digest),), grant_types=("client_credentials",))


def test_a_storage_that_is_used_as_before_has_nothing_to_tell(shell: Shell) -> None:
    assert (start(), start()) == ((), ())


def test_another_issuer_is_told_of_once_and_what_ends_with_it(shell: Shell) -> None:
    shell.run("client", "add", "app", "--grant-type", "client_credentials")
    start()
    move(SECOND)

    assert f"the issuer was {FIRST}" in shell.ask("check")["warnings"][-1]
    assert [FIRST in told and "clients, their secrets and users stay" in told for told in start()] == [True]
    assert start() == ()


def test_check_takes_note_of_nothing(shell: Shell) -> None:
    start()
    move(SECOND)

    assert start(remember=False) == start(remember=False) != ()


def test_secrets_of_an_earlier_version_refuse_another_issuer_by_name(shell: Shell) -> None:
    stored(lambda opened: opened.commit([Insert(earlier())]))
    assert "the secrets of old are tied to the issuer" in start()[0]
    move(SECOND)

    with pytest.raises(ConfigurationError, match=f"issuer = '{SECOND}': the secrets of old are tied to {FIRST}"):
        start()
    assert "the secrets of old" in shell.run("check", status=2)
    assert "the secrets of old" in shell.run("serve", status=2)
    move(FIRST)
    assert start() == ()


def test_whoever_got_another_secret_is_in_nobodys_way(shell: Shell) -> None:
    stored(lambda opened: opened.commit([Insert(earlier())]))
    start()
    move(SECOND)

    shell.run("client", "rotate-secret", "old")

    assert len(start()) == 1


def test_pairwise_subjects_are_told_of_by_client(shell: Shell) -> None:
    stored(lambda opened: opened.commit([Insert(Client(client_id="secretive", subject_type="pairwise"))]))
    start()
    move(SECOND)

    assert start()[1] == "secretive will know everybody by another pairwise subject"


def test_of_many_clients_a_few_are_named() -> None:
    assert named(map(str, range(7))) == "0, 1, 2, 3, 4 and 2 more"


@pytest.mark.slow
def test_a_server_takes_another_issuer_and_its_clients_along_but_for_those_it_would_lock_out(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure()
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    with closing(SqliteStorage(tmp_path / "oauthcore.db")) as storage:
        storage.commit([Insert(earlier())])

    with installation.serving() as running:
        installation.config.write_text(installation.config.read_text().replace(FIRST, SECOND))
        running.tell(signal.SIGHUP)
        until(running, f"not reloaded: issuer = '{SECOND}': the secrets of old are tied to {FIRST}")
        assert issuer_at(running) == FIRST

        installation.run("client", "remove", "old")
        running.tell(signal.SIGHUP)
        assert f"the issuer was {FIRST}" in until(running, "INFO reloaded")

        assert issuer_at(running) == SECOND
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(running.url + "/token", data=form, auth=("app", app["client_secret"]), trust_env=False)
        assert answer.status_code == 200


def issuer_at(running: Running) -> object:
    """Return the issuer that a server says it is."""
    metadata = httpx.get(running.url + "/.well-known/oauth-authorization-server", trust_env=False)
    return metadata.json()["issuer"]
