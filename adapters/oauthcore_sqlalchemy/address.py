"""Addresses: a URL that names a database, and the engine for it; what is said of it never shows the password."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine

from oauthcore.errors import ConfigurationError
from oauthcore_sqlalchemy.driver_options import read_options, without_secrets
from oauthcore_sqlalchemy.engines import async_engine_of, engine_of
from oauthcore_sqlalchemy.tls import tls_of, without_tls

E = TypeVar("E", Engine, AsyncEngine)

# For how many seconds a server may be silent, or all connections be taken, before the request is answered 503. A
# machine that has lost its power says nothing, and the system's own patience with it is a quarter of an hour.
PATIENCE = 5
# How many connections each process of a server has at most, unless `pool_size` in the URL says otherwise.
CONNECTIONS = 20

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
    """Return a URL as it may be seen."""
    try:
        return _rendered(make_url(url))
    except (ArgumentError, ValueError):
        return f"{url.partition(':')[0]}:…"


def engine_for_command(url: str) -> Engine:
    """Make a blocking engine; raises `ConfigurationError`."""
    address, backend = _read(url)
    used, drivers = DRIVERS[backend]
    named = _named_driver(address) or drivers[0]
    # A driver that no server may have has no options that are known here.
    return _made(engine_of, address, named if named in drivers else used, used, {"pool_timeout": PATIENCE})


def engine_for_server(url: str) -> AsyncEngine:
    """Make an async engine; raises `ConfigurationError`."""
    address, backend = _read(url)
    drivers = DRIVERS[backend][1]
    named = _named_driver(address) or drivers[0]
    if named not in drivers:
        remedy = f"a server needs an async driver: use {' or '.join(f'{backend}+{driver}' for driver in drivers)}"
        raise ConfigurationError("storage", shown(url), remedy)
    sizes = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": PATIENCE}
    return _made(async_engine_of, address, named, named, sizes)


def unusable(url: str, error: Exception) -> ConfigurationError:
    """Say in one line why a database can't be used: in the driver's words, in which there is no password."""
    said = "it does not answer" if isinstance(error, TimeoutError) else str(getattr(error, "orig", None) or error)
    words = said.strip().splitlines()
    remedy = f"it can't be used: {words[0] if words else type(error).__name__}; start it, or correct the URL"
    return ConfigurationError("storage", shown(url), remedy)


def _read(url: str) -> tuple[URL, str]:
    """Return what names a database, and which sort it is."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("storage", shown(url), _REMEDY) from None
    backend = _BACKENDS.get(address.drivername.partition("+")[0])
    if backend is None:
        raise ConfigurationError("storage", shown(url), _REMEDY)
    return address, backend


def _named_driver(address: URL) -> str:
    return address.drivername.partition("+")[2]


def _rendered(address: URL) -> str:
    return without_secrets(address).render_as_string(hide_password=True)


def _made(make: Callable[..., E], address: URL, named: str, used: str, sizes: Mapping[str, int]) -> E:
    """Make an engine for the driver that is used, by the options of the one that the URL names."""
    backend = _BACKENDS[address.drivername.partition("+")[0]]
    text = _rendered(address.set(drivername=f"{backend}+{used}"))
    try:
        options = read_options(address, named, used)
        address = options.address.set(drivername=f"{backend}+{used}")
        own = {_TIMEOUTS.get(used, _TIMEOUT): PATIENCE, **options.driver}
        if backend == "mysql" and (context := tls_of(address)) is not None:
            address, own = without_tls(address), {**own, "ssl": context}
        if "pool_size" in sizes and options.pool_size is not None:
            sizes = {**sizes, "pool_size": options.pool_size}
        return make(address, connect_args=own, **sizes)
    except NoSuchModuleError:
        raise ConfigurationError("storage", text, "this driver is unknown; leave it out") from None
    except ArgumentError as error:  # of several hosts and their ports, which SQLAlchemy looks over
        raise ConfigurationError("storage", text, f"name each host with its port: {error}") from None
    except ImportError as missing:
        remedy = f'it needs {missing.name}: pip install "oauthcore[{backend}]"'
        raise ConfigurationError("storage", text, remedy) from None
