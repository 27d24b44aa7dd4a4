"""The reference server on Redis and Valkey: configured by a URL, checked, served by several workers, and listed."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
import redis

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Insert
from oauthcore.storage.purging import BATCH
from oauthcore_h11 import serving
from oauthcore_h11.configuration import read
from oauthcore_redis import RedisStorage
from tests.h11.installation import Installation
from tests.redis.cluster import cluster
from tests.redis.engine import DURABLE, Engine, binaries, running
from tests.redis.things import Thing

pytestmark = pytest.mark.slow


def installation_on(folder: Path, url: str) -> Installation:
    """Return a folder whose configuration names that storage."""
    folder.mkdir(exist_ok=True)
    installation = Installation(folder)
    installation.configure()
    text = installation.config.read_text(encoding="utf-8")
    assert 'storage = "sqlite:oauthcore.db"' in text
    installation.config.write_text(text.replace("sqlite:oauthcore.db", url), encoding="utf-8")
    return installation


def test_a_server_of_several_workers_and_all_commands_work_on_it(
    engine: Engine, client: redis.Redis, folder: Path
) -> None:
    installation = installation_on(folder, f"{engine.url}?prefix=as")
    app = installation.ask(
        "client", "add", "app", "--redirect-uri", "https://app.example/cb", "--grant-type", "client_credentials"
    )
    installation.run("user", "add", "alice", said="wonderland\n")
    secret = ("app", app["client_secret"])

    with installation.serving("--workers", "2") as server:
        form = {"grant_type": "client_credentials"}
        given = httpx.post(server.url + "/token", data=form, auth=secret, trust_env=False).json()
        for _ in range(4):
            asked = httpx.post(
                server.url + "/introspect", data={"token": given["access_token"]}, auth=secret, trust_env=False
            )
            assert asked.json()["active"] is True
        logged = server.logged()

    assert logged.count("storage: appendonly is no: set it to yes") == 1
    assert [row["client_id"] for row in installation.ask("client", "list")] == ["app"]
    assert [row["username"] for row in installation.ask("user", "list")] == ["alice"]
    storage = RedisStorage(client, prefix="as")
    storage.commit([*(Insert(Thing(str(number), expires_at=1)) for number in range(BATCH + 1)), Insert(Thing("stays"))])
    assert installation.ask("purge") == {"removed": BATCH + 1}
    assert [thing.key for thing in storage.every(Thing)] == ["stays"]
    assert installation.ask("client", "remove", "app")["removed"] is True
    assert client.exists("{as}:Client:app") == 0


def test_a_server_that_has_no_memory_left_is_not_ready(folder: Path) -> None:
    """It answers every find, and refuses every write (Redis, maxmemory-policy noeviction)."""
    options = ("--appendonly", "no", "--maxmemory-policy", "noeviction")
    with running(binaries()["redis"], folder, *options) as engine, engine.client() as client:
        installation = installation_on(folder / "as", engine.url)
        with installation.serving() as server:
            client.config_set("maxmemory", "1")
            full = httpx.get(server.url + "/readyz", trust_env=False).status_code
            client.config_set("maxmemory", "0")
            room = httpx.get(server.url + "/readyz", trust_env=False).status_code

    assert (full, room) == (503, 200)


def test_checking_tells_of_what_may_be_lost(engine: Engine, client: redis.Redis, folder: Path) -> None:
    installation = installation_on(folder, engine.url)

    assert "storage: appendonly is no: set it to yes" in installation.run("check")
    assert len(installation.ask("check")["storage"]["concerns"]) == 1


def test_a_cluster_is_served_on(folder: Path) -> None:
    with cluster(binaries()["valkey"], folder) as engines:
        hosts = ",".join(f"127.0.0.1:{engine.port}" for engine in engines)
        installation = installation_on(folder / "as", f"valkey+cluster://{hosts}?prefix=as")
        assert installation.ask("check")["storage"]["concerns"] == []
        app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
        with installation.serving() as server:
            answer = httpx.post(
                server.url + "/token",
                data={"grant_type": "client_credentials"},
                auth=("app", app["client_secret"]),
                trust_env=False,
            )

    assert answer.status_code == 200


def test_a_server_that_is_away_or_refuses_is_one_line_without_the_password(folder: Path) -> None:
    with running(binaries()["redis"], folder, *DURABLE, "--requirepass", "hush") as engine:
        right, wrong = (f"redis://:{word}@127.0.0.1:{engine.port}" for word in ("hush", "hushed"))
        assert installation_on(folder / "right", right).ask("check")["storage"]["concerns"] == []
        refused = installation_on(folder / "wrong", wrong).run("check", status=2)
    away = installation_on(folder / "away", wrong).run("serve", status=2)

    for line in (refused, away):
        assert line.count("\n") == 1
        assert "hush" not in line
        assert f"storage = 'redis://…@127.0.0.1:{engine.port}': it can't be used: " in line


@pytest.mark.parametrize("url", ["redis://:hush@ho:st", "mongo://:hush@host"])
def test_a_url_that_is_wrong_is_one_line_without_the_password(folder: Path, url: str) -> None:
    refused = installation_on(folder, url).run("check", status=2)

    assert refused.count("\n") == 1
    assert refused.startswith("oauthcore: storage = ")
    assert "hush" not in refused


def test_what_is_not_installed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = installation_on(folder, "redis://host")
    monkeypatch.setitem(sys.modules, "oauthcore_redis", None)

    with pytest.raises(ConfigurationError) as refused:
        serving.check(read(installation.config, {}))

    assert str(refused.value) == """storage = 'redis:…': it needs more: pip install "oauthcore[redis]\""""
