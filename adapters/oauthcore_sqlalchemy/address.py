"""Addresses: a URL that names a database, and the engine for it; what is said of it never shows the password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine

from oauthcore.errors import ConfigurationError
from oauthcore.wire_text import decimal
from oauthcore_sqlalchemy.engines import async_engine_of, engine_of
from oauthcore_sqlalchemy.tls import tls_of, without_tls

E = TypeVar("E", Engine, AsyncEngine)

# For how many seconds a server may be silent, or all connections be taken, before the request is answered 503. A
# machine that has lost its power says nothing, and the system's own patience with it is a quarter of an hour.
PATIENCE = 5
# How many connections each process of a server has at most, unless `pool_size` in the URL says otherwise.
CONNECTIONS = 20
# Of that number; what is longer is a mistake.
DIGITS = 6

# Which driver a command uses, and which a server that names none; then those that a server may name.
DRIVERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "postgresql": ("psycopg", ("psycopg", "psycopg_async", "asyncpg")),
    "mysql": ("pymysql", ("aiomysql", "asyncmy")),
}
# What each driver calls the time for which it tries to connect; without it psycopg waits for two minutes, aiomysql for
# ever. An operator may say it otherwise, in the URL.
_TIMEOUTS = {"asyncpg": "timeout"}
_TIMEOUT = "connect_timeout"
_BACKENDS = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
_REMEDY = (
    "use a URL as in postgresql://user:password@host:5432/database or mysql://user:password@host:3306/database; "
    "what is special in a password is percent-encoded"
)


def shown(url: str) -> str:
    """Give a URL as it may be seen."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"{url.partition(':')[0]}:…"


def engine_for_command(url: str) -> Engine:
    """Make a blocking engine; raises `ConfigurationError`."""
    address, backend, _ = _read(url)
    driver = DRIVERS[backend][0]
    return _made(engine_of, address.set(drivername=f"{backend}+{driver}"), backend, pool_timeout=PATIENCE)


def engine_for_server(url: str) -> AsyncEngine:
    """Make an async engine; raises `ConfigurationError`."""
    address, backend, connections = _read(url)
    drivers = DRIVERS[backend][1]
    named = address.drivername.partition("+")[2] or drivers[0]
    if named not in drivers:
        remedy = f"a server needs an async driver: use {' or '.join(f'{backend}+{driver}' for driver in drivers)}"
        raise ConfigurationError("storage", shown(url), remedy)
    sizes = {"pool_size": connections, "max_overflow": 0, "pool_timeout": PATIENCE}
    return _made(async_engine_of, address.set(drivername=f"{backend}+{named}"), backend, **sizes)


def unusable(url: str, error: Exception) -> ConfigurationError:
    """Say in one line why a database can't be used: in the driver's words, in which there is no password."""
    said = "it does not answer" if isinstance(error, TimeoutError) else str(getattr(error, "orig", None) or error)
    words = said.strip().splitlines()
    return ConfigurationError("storage", shown(url), f"it can't be used: {words[0] if words else type(error).__name__}")


def _read(url: str) -> tuple[URL, str, int]:
    """Give what names a database, which sort it is, and how many connections a server may have."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("storage", shown(url), _REMEDY) from None
    backend = _BACKENDS.get(address.drivername.partition("+")[0])
    if backend is None:
        raise ConfigurationError("storage", shown(url), _REMEDY)
    return address.difference_update_query(["pool_size"]), backend, _connections(address)


def _connections(address: URL) -> int:
    """Read how many connections a server may have, which no driver is to hear of."""
    given = address.query.get("pool_size", str(CONNECTIONS))
    connections = decimal(given, DIGITS) if isinstance(given, str) else None
    if not connections:
        raise ConfigurationError("storage", shown(str(address)), "use a number of connections as pool_size, 1 or more")
    return connections


def _made(make: Callable[..., E], address: URL, backend: str, **options: Any) -> E:
    text = address.render_as_string(hide_password=True)
    timeout = _TIMEOUTS.get(address.get_driver_name(), _TIMEOUT)
    own: dict[str, object] = {} if timeout in address.query else {timeout: PATIENCE}
    if backend == "mysql" and (context := tls_of(address)) is not None:
        address, own = without_tls(address), {**own, "ssl": context}
    try:
        return make(address, connect_args=own, **options)
    except NoSuchModuleError:
        raise ConfigurationError("storage", text, "nobody knows that driver; leave it out") from None
    except ImportError as missing:
        remedy = f'it needs {missing.name}: pip install "oauthcore[{backend}]"'
        raise ConfigurationError("storage", text, remedy) from None
