"""Addresses: a URL that names one server, a cluster, or what sentinels watch over; and how each is spoken to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import redis.asyncio.cluster
import redis.cluster
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from oauthcore.errors import ConfigurationError
from oauthcore.wire.text import decimal
from oauthcore_redis import sentinels
from oauthcore_redis.options import DIGITS, check_options

PREFIX = "oauthcore"
# For how many seconds a record stays after it has expired, as clocks differ: a server whose clock is ahead must not
# forget that a code was used while the host still takes it. Five minutes are what Kerberos allows for (RFC 4120
# section 1.6).
LINGER = 300
# For how many seconds a server may be silent, or all connections taken, before the request is answered 503.
PATIENCE = 5.0
CONNECTIONS = 50
SENTINEL_PORT = 26379

# Valkey's own names are other words for the same protocol.
SCHEMES = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss"}
REMEDY = (
    "use a URL as in redis://user:password@host:6379/0?prefix=oauthcore, rediss for TLS, redis+cluster for a cluster, "
    "redis+sentinel://one:26379,two:26379/service for sentinels; what is special in a password is percent-encoded"
)
# Strict, because what can't be read may be a password, and is then not to be seen.
_URL = re.compile(
    r"(?P<scheme>[a-z]+)(?P<manner>\+cluster|\+sentinel)?://(?P<user>[^@/?#]*@)?"
    r"(?P<hosts>(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?(?:,(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?)*)"
    r"(?P<path>(?:/(?P<service>[\w.-]*[A-Za-z_.-][\w.-]*))?(?:/\d*)?)(?:\?(?P<query>[^@?#]*))?",
    re.ASCII,
)
# RESP2 replies are all that is needed, and with it redis-py looks whether a pooled connection was closed meanwhile.
_SETTINGS = {"protocol": 2, "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
_POOL: dict[str, Any] = {"max_connections": CONNECTIONS, "timeout": PATIENCE}


@attrs.frozen
class Address:
    """Hold what a URL says; `servers` is one URL for each server it names, as redis-py reads them.

    With a `service` they are sentinels, and `replicas` is how many of its replicas a commit waits for.
    """

    servers: tuple[str, ...] = attrs.field(repr=False)
    is_cluster: bool
    prefix: str
    linger: int
    service: str | None = None
    replicas: int = 0

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a URL; raises `ConfigurationError`, which does not show the password in it."""
        found = _URL.fullmatch(url)
        if found is None or found["scheme"] not in SCHEMES or ("," in found["hosts"] and not found["manner"]):
            raise ConfigurationError("storage", shown(url), REMEDY)
        service = found["service"]
        if (service is not None) is not (found["manner"] == "+sentinel"):
            raise ConfigurationError("storage", shown(url), REMEDY)
        options = check_options(
            parse_qsl(found["query"] or ""),
            is_safe=SCHEMES[found["scheme"]] == "rediss",
            has_sentinels=service is not None,
        )
        prefix, linger = options.pop("prefix", PREFIX), options.pop("linger", str(LINGER))
        replicas = options.pop("replicas", "0")
        seconds, servers_waited_for = decimal(linger, DIGITS), decimal(replicas, DIGITS)
        assert seconds is not None and servers_waited_for is not None
        if replicas != "0" and found["manner"] == "+cluster":
            raise ConfigurationError(
                "storage", shown(url), "leave replicas out: commits in a cluster don't wait for them"
            )
        scheme, user = SCHEMES[found["scheme"]], found["user"] or ""
        rest = found["path"].removeprefix(f"/{service}")
        query = f"?{urlencode(options)}" if options else ""
        servers = tuple(f"{scheme}://{user}{host}{rest}{query}" for host in found["hosts"].split(","))
        return cls(servers, found["manner"] == "+cluster", prefix, seconds, service, servers_waited_for)

    def client(self) -> redis.Redis | redis.cluster.RedisCluster:
        """Make a client; raises `ConfigurationError` for what can't be one, and for a cluster that is away."""
        retry = Retry(NoBackoff(), 0)
        try:
            if self.service is not None:
                return sentinels.client(self._key_names(SENTINEL_PORT), self.service, self._settings(retry))
            if not self.is_cluster:
                return redis.Redis.from_url(self.servers[0], retry=retry, **_SETTINGS)
            nodes = [redis.cluster.ClusterNode(*place) for place in self._key_names()]
            return redis.cluster.RedisCluster.from_url(self.servers[0], startup_nodes=nodes, retry=retry, **_SETTINGS)
        except (ValueError, TypeError):  # of what redis-py can't read, in whose words there may be a password
            raise ConfigurationError("storage", shown(self.servers[0]), REMEDY) from None
        except (RedisError, RedisClusterException) as error:
            remedy = f"it can't be used: {error}; start it, or correct the URL"
            raise ConfigurationError("storage", shown(self.servers[0]), remedy) from None

    def async_client(self) -> redis.asyncio.Redis | redis.asyncio.cluster.RedisCluster:
        """Make an async client; raises `ConfigurationError` for what can't be one."""
        retry = AsyncRetry(NoBackoff(), 0)
        try:
            if self.service is not None:
                settings = {**_POOL, **self._settings(retry)}
                return sentinels.async_client(self._key_names(SENTINEL_PORT), self.service, settings)
            if not self.is_cluster:
                pool = redis.asyncio.BlockingConnectionPool.from_url(self.servers[0], retry=retry, **_POOL, **_SETTINGS)
                return redis.asyncio.Redis.from_pool(pool)
            nodes = [redis.asyncio.cluster.ClusterNode(*place) for place in self._key_names()]
            return redis.asyncio.cluster.RedisCluster.from_url(
                self.servers[0], startup_nodes=nodes, retry=retry, **_SETTINGS
            )
        except (ValueError, TypeError):  # of what redis-py can't read, in whose words there may be a password
            raise ConfigurationError("storage", shown(self.servers[0]), REMEDY) from None

    def _key_names(self, port: int = 6379) -> list[tuple[str, int]]:
        """Return the host and the port of each server."""
        parts = [urlsplit(server) for server in self.servers]
        return [(part.hostname or "localhost", part.port or port) for part in parts]

    def _settings(self, retry: object) -> dict[str, Any]:
        """Return what the URL says but for the host, as redis-py would read it."""
        read = dict(parse_url(self.servers[0]))
        is_safe = read.pop("connection_class", None) is not None
        its = {name: value for name, value in read.items() if name not in {"host", "port"}}
        return {**_SETTINGS, **its, "retry": retry, **({"ssl": True} if is_safe else {})}


def shown(url: str) -> str:
    """Return a URL as it may be seen: without user, password and options; and next to nothing of what can't be read."""
    found = _URL.fullmatch(url)
    if found is None:
        return "…"
    user = "…@" if found["user"] else ""
    return f"{found['scheme']}{found['manner'] or ''}://{user}{found['hosts']}{found['path']}"
