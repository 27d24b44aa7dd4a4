"""The reference server on PostgreSQL and MariaDB: tables made by a command, several processes, one truth."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import QueuePool

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Insert
from oauthcore.storage.purging import BATCH
from oauthcore_sqlalchemy import SqlAlchemyStorage, address
from tests.h11.installation import Installation, Running
from tests.h11.test_kill import CONFIGURATION, Caller, Told, signed_in
from tests.redis.test_serving import installation_on
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.sqlite.things import Thing

pytestmark = pytest.mark.slow

CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.fixture(params=["postgresql+asyncpg", "mysql+aiomysql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return where an empty database is: served by these drivers, and asked by commands through psycopg and PyMySQL."""
    backend, _, driver = request.param.partition("+")
    server: PostgreSql | MariaDb = request.getfixturevalue({"mysql": "mariadb"}.get(backend, backend))
    return server.url(driver, server.database())


def post(server: Running, path: str, form: Mapping[str, str], auth: tuple[str, str]) -> Any:
    return httpx.post(server.url + path, data=form, auth=auth, trust_env=False).json()


def test_tables_are_made_by_a_command_and_then_every_command_works(url: str, tmp_path: Path) -> None:
    installation = installation_on(tmp_path, url)
    refused = installation.run("check", status=2)
    assert "revision None, and has to be at 0001: run oauthcore db upgrade" in refused
    assert "run oauthcore db upgrade" in installation.run("client", "list", status=2)
    assert installation.ask("db", "current") == {"revision": None}
    installation.run("db", "check", status=1)

    assert installation.ask("db", "upgrade") == {"revision": "0001"}
    assert installation.run("db", "upgrade") == "The tables are at revision 0001.\n"
    assert installation.ask("db", "check") == {"differences": []}
    concerns = " ".join(installation.ask("check")["storage"]["concerns"])
    assert ("innodb_flush_log_at_trx_commit is 0" if "mysql" in url else "fsync is off") in concerns
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    installation.run("user", "add", "alice", said="wonderland\n")
    secret = ("app", app["client_secret"])

    with installation.serving("--workers", "2") as server:
        given = post(server, "/token", CREDENTIALS, secret)
        for _ in range(4):
            assert post(server, "/introspect", {"token": given["access_token"]}, secret)["active"] is True
        assert concerns.partition(":")[0] in server.logged()

    assert [row["client_id"] for row in installation.ask("client", "list")] == ["app"]
    assert [row["username"] for row in installation.ask("user", "list")] == ["alice"]
    storage = SqlAlchemyStorage(address.engine_for_command(url))
    storage.commit([*(Insert(Thing(str(number), expires_at=1)) for number in range(BATCH + 1)), Insert(Thing("stays"))])
    assert installation.ask("purge") == {"removed": BATCH + 1}
    assert [thing.key for thing in storage.every(Thing)] == ["stays"]
    storage.close()
    assert installation.ask("client", "remove", "app")["removed"] is True


def test_a_database_that_only_reads_is_not_ready(postgresql: PostgreSql, tmp_path: Path) -> None:
    database = postgresql.database()
    installation = installation_on(tmp_path, postgresql.url("psycopg", database))
    installation.run("db", "upgrade")
    with psycopg.connect(postgresql.url("psycopg").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")

    with installation.serving() as server:
        response = httpx.get(server.url + "/readyz", trust_env=False)

    assert response.status_code == 503


def test_a_file_needs_no_such_command(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure()

    assert installation.run("db", "upgrade").startswith("Nothing to do: ")
    assert installation.ask("db", "check") == {"differences": []}


@pytest.mark.parametrize(("driver", "limit"), [("psycopg", "connect_timeout=2"), ("asyncpg", "timeout=1")])
def test_a_server_does_not_start_on_a_database_that_says_nothing(driver: str, limit: str, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql+{driver}://me@127.0.0.1:{port}/nowhere?{limit}"
        said = installation_on(tmp_path, url).run("serve", status=2)

    assert "it can't be used: " in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", [("check",), ("serve",), ("client", "list"), ("db", "upgrade")])
def test_a_password_is_never_shown(command: tuple[str, ...], tmp_path: Path) -> None:
    installation = installation_on(tmp_path, "postgresql://me:hush%40hush@127.0.0.1:9/nowhere")

    said = installation.run(*command, status=2)

    assert "postgresql+psycopg://me:***@127.0.0.1:9/nowhere" in said or "postgresql://me:***@" in said
    assert said.count("\n") == 1
    assert "hush" not in said


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("mysql+pymysql://host/db", r"use mysql\+aiomysql or mysql\+asyncmy"),
        ("postgresql+psycopg2://me:hush@host/db", r"use postgresql\+psycopg or"),
        ("postgresql://me:hush@host:port/db", "use a URL as in"),
        ("oracle://me:hush@host/db", "use a URL as in"),
        ("postgresql://me:hush@host/db?pool_size=many", "use a whole number, 1 or more"),
        ("mysql://me:hush@host/db?pool_size=0", "use a whole number, 1 or more"),
    ],
)
def test_a_url_that_can_not_be_served_is_refused_without_its_password(url: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy) as refused:
        address.engine_for_server(url)

    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(("query", "connections"), [("", 20), ("?pool_size=3", 3)])
def test_a_server_has_as_many_connections_as_the_url_says(query: str, connections: int) -> None:
    url = f"postgresql://host/db{query}"

    engine = address.engine_for_server(url)
    command = address.engine_for_command(url)

    assert isinstance(engine.pool, QueuePool)
    assert (engine.pool.size(), engine.pool._max_overflow) == (connections, 0)
    assert not engine.url.query and not command.url.query


def test_a_driver_that_is_not_installed_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(url: object, **options: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(address, "engine_of", absent)

    with pytest.raises(ConfigurationError, match=r'it needs psycopg: pip install "oauthcore\[postgresql\]"'):
        address.engine_for_command("postgresql://me:hush@host/db")


def test_two_servers_on_one_database_know_one_truth(postgresql: PostgreSql, tmp_path: Path) -> None:
    url = postgresql.url("psycopg", postgresql.database())
    first, second = installation_on(tmp_path / "first", url), Installation(tmp_path / "second")
    first.config.write_text(first.config.read_text(encoding="utf-8") + CONFIGURATION, encoding="utf-8")
    second.folder.mkdir()
    second.config.write_text(first.config.read_text(encoding="utf-8"), encoding="utf-8")
    first.run("db", "upgrade")
    first.run("user", "add", "alice", said="wonderland\n")

    with first.serving() as one, second.serving() as two:
        cookies = signed_in(one)
        here, there = Caller(one, cookies, Told()), Caller(two, cookies, Told())

        code = here.code()
        tokens = there.redeem(code)
        assert tokens is not None
        rotated = here.refresh(tokens["refresh_token"])
        # Whose answer was lost asks another server, and gets the same pair.
        again = there.refresh(tokens["refresh_token"])
        assert again["refresh_token"] == rotated["refresh_token"]
        assert again["access_token"] == rotated["access_token"]
        newest = there.refresh(rotated["refresh_token"])
        assert here.is_active(newest["access_token"])
        # A thief's reuse at one ends the grant at both; so does a code that comes a second time.
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert here.ask("POST", "/token", form)[0] == 400
        assert not there.is_active(newest["access_token"])

        code = there.code()
        tokens = here.redeem(code)
        assert tokens is not None
        assert there.redeem(code) is None
        assert not here.is_active(tokens["access_token"])

        tokens = there.redeem(here.code())
        assert tokens is not None
        assert here.ask("POST", "/revoke", {"token": tokens["refresh_token"]})[0] == 200
        assert not there.is_active(tokens["access_token"])
        here.close()
        there.close()
