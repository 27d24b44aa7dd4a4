"""TLS: `rediss` is spoken to a server behind it, and to none whose certificate nobody trusts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
from redis.asyncio.sentinel import SentinelManagedSSLConnection as AsyncSafeConnection
from redis.exceptions import ConnectionError as Disconnected
from redis.sentinel import SentinelManagedSSLConnection as SafeConnection

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Insert
from oauthcore_h11 import serving
from oauthcore_h11.configuration import read
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from tests.hosts.tls_proxy import tls_proxy
from tests.redis.engine import Engine
from tests.redis.test_serving import installation_on
from tests.redis.things import Thing

pytestmark = pytest.mark.slow


@pytest.fixture
def place(authority: trustme.CA, engine: Engine, client: redis.Redis) -> Iterator[str]:
    """Return where a server is behind TLS."""
    with tls_proxy(authority, engine.port) as port:
        yield f"rediss://127.0.0.1:{port}"


@pytest.mark.anyio
async def test_records_are_kept_behind_tls(place: str, ca_file: Path) -> None:
    url = f"{place}?ssl_ca_certs={ca_file}"
    storage, awaited = RedisStorage.from_url(url), AsyncRedisStorage.from_url(url)

    assert storage.commit((Insert(Thing("a")),)) is True
    assert await awaited.find(Thing, "a") == Thing("a")

    storage.close()
    await awaited.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "trusting"), [("127.0.0.1", False), ("localhost", True)], ids=["nobody", "other host"]
)
async def test_a_certificate_that_nobody_trusts_or_of_another_host_is_refused(
    place: str, ca_file: Path, host: str, trusting: bool
) -> None:
    url = place.replace("127.0.0.1", host) + (f"?ssl_ca_certs={ca_file}" if trusting else "")
    storage, awaited = RedisStorage.from_url(url), AsyncRedisStorage.from_url(url)

    with pytest.raises(Disconnected, match="CERTIFICATE_VERIFY_FAILED"):
        storage.find(Thing, "a")
    with pytest.raises(Disconnected, match="CERTIFICATE_VERIFY_FAILED"):
        await awaited.find(Thing, "a")

    storage.close()
    await awaited.aclose()


def test_the_reference_server_is_told_so_in_one_line(place: str, ca_file: Path, tmp_path: Path) -> None:
    trusting = installation_on(tmp_path / "trusting", f"{place}?ssl_ca_certs={ca_file}")
    other = installation_on(tmp_path / "other", place)

    assert serving.check(read(trusting.config, {})) == [
        "appendonly is no: set it to yes, or what was committed since the last snapshot ends with the server"
    ]
    with pytest.raises(ConfigurationError, match=r"it can't be used: .*CERTIFICATE_VERIFY_FAILED"):
        serving.check(read(other.config, {}))


@pytest.mark.anyio
async def test_sentinels_and_their_primary_are_spoken_to_by_tls_too() -> None:
    query = "ssl_ca_certs=ca.pem&sentinel_password=other&max_connections=7"
    url = f"rediss+sentinel://me:hush@one,two:1/tokens/3?{query}"
    storage, awaited = RedisStorage.from_url(url), AsyncRedisStorage.from_url(url)

    for one, kind in ((storage, SafeConnection), (awaited, AsyncSafeConnection)):
        pool: Any = one.client.connection_pool  # type: ignore[union-attr]  # it is of no cluster
        assert pool.connection_class is kind
        its = pool.connection_kwargs
        assert pool.max_connections == 7
        assert (its["username"], its["password"], its["db"], its["ssl_ca_certs"]) == ("me", "hush", 3, "ca.pem")
        theirs = [sentinel.connection_pool for sentinel in pool.sentinel_manager.sentinels]
        assert [(one.connection_kwargs["host"], one.connection_kwargs["port"]) for one in theirs] == [
            ("one", 26379),
            ("two", 1),
        ]
        assert all(one.connection_kwargs["ssl_ca_certs"] == "ca.pem" for one in theirs)
        assert all(one.connection_kwargs["password"] == "other" for one in theirs)
        assert all(one.connection_class.__name__ == "SSLConnection" for one in theirs)

    storage.close()
    await awaited.aclose()
