"""Addresses: what a URL says, and what is seen of it where it is wrong."""

from __future__ import annotations

import pytest
import redis.asyncio

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Insert
from oauthcore_redis import AsyncRedisStorage, RedisStorage
from oauthcore_redis.address import Address, shown
from oauthcore_redis.storage import operations_of
from tests.redis.engine import Engine
from tests.redis.things import Thing


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", Address(("redis://localhost",), False, "oauthcore", 300)),
        ("valkey://localhost:1/2", Address(("redis://localhost:1/2",), False, "oauthcore", 300)),
        (
            "valkeys://u:p%40@h:1?prefix=as&linger=7&ssl_ca_certs=%2Fca.pem",
            Address(("rediss://u:p%40@h:1?ssl_ca_certs=%2Fca.pem",), False, "as", 7),
        ),
        ("rediss://[::1]:6379", Address(("rediss://[::1]:6379",), False, "oauthcore", 300)),
        ("redis+cluster://:p@a:1,b", Address(("redis://:p@a:1", "redis://:p@b"), True, "oauthcore", 300)),
        (
            "valkey+sentinel://:p@a:1,b/my-service?replicas=2",
            Address(("redis://:p@a:1", "redis://:p@b"), False, "oauthcore", 300, "my-service", 2),
        ),
        (
            "rediss+sentinel://a/s.1/4?db=4&linger=7",
            Address(("rediss://a/4?db=4",), False, "oauthcore", 7, "s.1", 0),
        ),
    ],
)
def test_a_url_is_read(url: str, address: Address) -> None:
    assert Address.of(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "http://:secret@host",
        "redis:secret",
        "redis://",
        "redis://:secret@",
        "redis://:secret@a,b",
        "redis://:sec/secret@host",
        "redis://:sec?secret@host",
        "redis://:sec#secret@host",
        "redis://:sec@secret@host",
        "redis://u:secret",
        "redis://host?password=sec@secret",
        "redis://:secret@host:port",
        "redis://:secret@host/name",
        "redis://:secret@host?linger=soon",
        "redis://:secret@host?replicas=some",
        "redis+sentinel://:secret@host",
        "redis+sentinel://:secret@host/0",
        "redis+cluster://:secret@host/name",
        "redis+cluster://:secret@host?replicas=1",
        "redis://:secret@host?socket_timeout=soon",
    ],
)
def test_a_url_that_can_not_be_read_is_refused_and_its_password_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        RedisStorage.from_url(url)

    assert "secret" not in str(refused.value)
    assert refused.value.setting.partition("?")[0] == "storage"


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (
            "redis://h?socket_timeout=soon",
            "storage?socket_timeout = 'soon': use a number of seconds that",
        ),
        ("redis://h?socket_timeout=0.0", "storage?socket_timeout = '0.0': use a number of seconds"),
        ("redis://h?max_connections=0", "storage?max_connections = '0': use a whole number, 1 or more"),
        ("redis://h?health_check_interval=-1", "storage?health_check_interval = '-1': use a whole number, 0 or more"),
        ("redis://h?db=٣", "storage?db = '٣': use a whole number, 0 or more"),
        ("redis://h?linger=1&linger=2", "storage?linger = '…': name it once"),
        ("redis://h?pasword=hush", "storage?pasword = '…': there is no such option; did you mean password?"),
        ("redis://h?decode_responses=1", "storage?decode_responses = '…': use one of client_name, db"),
        ("redis://h?protocol=3", "storage?protocol = '…': use one of client_name, db"),
        ("redis://h?ssl_ca_certs=ca.pem", "storage?ssl_ca_certs = '…': it is for TLS: begin the URL with rediss"),
        ("rediss://h?ssl_cert_reqs=no", "storage?ssl_cert_reqs = 'no': use one of none, optional, required"),
        ("rediss://h?ssl_check_hostname=maybe", "storage?ssl_check_hostname = 'maybe': use true or false"),
        ("redis://h?sentinel_password=hush", "storage?sentinel_password = '…': "),
    ],
)
def test_an_option_that_can_not_be_is_one_line_with_its_name(url: str, line: str) -> None:
    for storage in (RedisStorage, AsyncRedisStorage):
        with pytest.raises(ConfigurationError) as refused:
            storage.from_url(url)

        assert str(refused.value).startswith(line)
        assert "hush" not in str(refused.value)


def test_an_option_reaches_the_connection_as_what_it_is() -> None:
    url = "rediss://h/2?socket_timeout=2.5&health_check_interval=7&ssl_check_hostname=false&max_connections=3"

    client = AsyncRedisStorage.from_url(url).client

    assert isinstance(client, redis.asyncio.Redis)
    pool = client.connection_pool
    settings = pool.connection_kwargs
    assert (settings["db"], settings["socket_timeout"], settings["health_check_interval"]) == (2, 2.5, 7)
    assert (settings["ssl_check_hostname"], pool.max_connections) == (False, 3)


def test_an_address_shows_no_password() -> None:
    assert "secret" not in repr(Address.of("redis://:secret@host"))
    assert shown("redis://u:secret@host:1/2?password=secret") == "redis://…@host:1/2"


def test_a_commit_in_a_cluster_waits_for_no_replica() -> None:
    with pytest.raises(ConfigurationError, match="leave replicas out: commits in a cluster don't wait for them"):
        RedisStorage.from_url("redis+cluster://127.0.0.1:1?replicas=1")
    with pytest.raises(ConfigurationError, match="replicas = 1: leave it out"):
        operations_of("oauthcore", 300, 1, is_cluster=True)


def test_a_service_of_sentinels_is_shown() -> None:
    assert shown("redis+sentinel://u:secret@a:1,b/s/2?sentinel_password=secret") == "redis+sentinel://…@a:1,b/s/2"


def test_a_cluster_that_is_away_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="it can't be used"):
        RedisStorage.from_url("redis+cluster://:secret@127.0.0.1:1")


@pytest.mark.anyio
async def test_storages_are_made_of_a_url(engine: Engine, client: redis.Redis) -> None:
    url = f"{engine.url.replace('redis', 'valkey', 1)}?prefix=by-url&linger=5"
    storage, awaited = RedisStorage.from_url(url), AsyncRedisStorage.from_url(url)

    assert storage.commit((Insert(Thing("a")),)) is True
    assert await awaited.find(Thing, "a") == Thing("a")
    assert await awaited.every(Thing) == [Thing("a")]

    assert client.exists("{by-url}:Thing:a") == 1
    storage.close()
    await awaited.aclose()
