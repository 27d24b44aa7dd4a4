"""Options of the driver in a URL: which there are, of which type, and what is said of one that can't be.

SQLAlchemy hands the query of a URL on as texts. A driver that wants a number then raises a TypeError at the first
connection, and so does one that does not know the name. So each option has a type here, and others are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, NoReturn

import attrs
from sqlalchemy import URL

from oauthcore.errors import ConfigurationError
from oauthcore.wire.text import decimal

# What is longer is a mistake.
DIGITS = 9
_SECONDS_IN_ASCII = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


@attrs.frozen
class Kind:
    """Say how a text is read; where `read` raises `ValueError` the remedy is told."""

    read: Callable[[str], object]
    remedy: str


def _whole(least: int, remedy: str) -> Kind:
    def read(text: str) -> int:
        number = decimal(text, DIGITS)
        if number is None or number < least:
            raise ValueError(text)
        return number

    return Kind(read, remedy)


def _one_of(*words: str) -> Kind:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Kind(read, f"use one of {', '.join(words)}")


def _read_seconds(text: str) -> float:
    seconds = float(text) if _SECONDS_IN_ASCII.fullmatch(text) else 0.0
    if seconds <= 0:
        raise ValueError(text)
    return seconds


_WHOLE = _whole(0, "use a whole number, 0 or more")
_COUNT = _whole(1, "use a whole number, 1 or more")
_SECONDS = Kind(_read_seconds, "use a number of seconds that is more than 0")
_THRESHOLD = Kind(lambda text: None if text == "none" else _WHOLE.read(text), "use a whole number, or none")
# Options that the driver accepts as they are and validates itself.
_TEXT = Kind(str, "")

# Options of ours. Prepared statements must be off if another connection may execute the statements of the next
# transaction: behind PgBouncer in transaction mode.
POOL_SIZE = "pool_size"
PREPARED = "prepared_statements"

_MYSQL: Mapping[str, Kind] = {
    POOL_SIZE: _COUNT,
    "connect_timeout": _COUNT,
    **dict.fromkeys(("unix_socket", "charset", "sql_mode", "program_name"), _TEXT),
    **dict.fromkeys(("read_default_file", "read_default_group", "ssl_ca", "ssl_cert", "ssl_key"), _TEXT),
}
_POSTGRESQL: Mapping[str, Kind] = {
    POOL_SIZE: _COUNT,
    PREPARED: _one_of("on", "off"),
    **dict.fromkeys(("host", "port"), _TEXT),
}
_ASYNCPG: Mapping[str, Kind] = {
    **dict.fromkeys(("timeout", "command_timeout"), _SECONDS),
    **dict.fromkeys(("statement_cache_size", "prepared_statement_cache_size"), _WHOLE),
    **dict.fromkeys(("max_cached_statement_lifetime", "max_cacheable_statement_size"), _WHOLE),
    "ssl": _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": _one_of("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
    "passfile": _TEXT,
}
_LIMITS: Mapping[str, Kind] = {**dict.fromkeys(("read_timeout", "max_allowed_packet"), _COUNT), "collation": _TEXT}

# What libpq calls otherwise than asyncpg: commands go by psycopg, whatever driver the URL names for the server.
_LIBPQ_NAMES = {"ssl": "sslmode", "timeout": "connect_timeout"}
# What may not be seen, not even when it is wrong.
_SECRET = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})


@attrs.frozen
class Options:
    """Hold a URL with the options that are text, the others for the driver, and how many connections there are."""

    address: URL
    driver: Mapping[str, Any]
    pool_size: int | None


def read_options(address: URL, named: str, used: str) -> Options:
    """Read the query of a URL that names one driver for another that is used: a command's, which blocks.

    An option that the used driver does not have is left out. Raises `ConfigurationError` with the option's name, its
    value and the remedy.
    """
    known, usable = _kinds_of(named), _kinds_of(used)
    query: dict[str, Any] = {}
    driver: dict[str, Any] = {}
    for name, given in address.query.items():
        if name not in known:
            _refuse(name, "…", _nearest(name, known))  # it may be a secret under a misspelled name
        kind, its_name = known[name], name if name in usable else _LIBPQ_NAMES.get(name, name)
        value = _read(name, given, kind)
        if its_name in usable:
            (query if kind is _TEXT else driver)[its_name] = value
    pool_size = driver.pop(POOL_SIZE, None)
    if driver.pop(PREPARED, "on") == "off":
        driver |= _WITHOUT_PREPARED[used]
    if "connect_timeout" in driver:
        driver["connect_timeout"] = ceil(driver["connect_timeout"])  # libpq knows whole seconds alone
    return Options(address.set(query=query), driver, pool_size)


def without_secrets(address: URL) -> URL:
    """Return a URL whose query may be seen; the password before the host is SQLAlchemy's to hide."""
    return address.difference_update_query(_SECRET)


def _read(name: str, given: str | tuple[str, ...], kind: Kind) -> Any:
    """Read a value; only texts may be given several times: the hosts."""
    if kind is _TEXT:
        return given
    if not isinstance(given, str):
        _refuse(name, ", ".join(given), "name it once")
    try:
        return kind.read(given)
    except ValueError:
        _refuse(name, given, kind.remedy)


def _kinds_of(driver: str) -> Mapping[str, Kind]:
    """Return the options that a URL may have for a driver, by name."""
    match driver:
        case "psycopg" | "psycopg_async":
            return {**_libpq(), **_POSTGRESQL, "connect_timeout": _COUNT, "prepare_threshold": _THRESHOLD}
        case "asyncpg":
            return {**_POSTGRESQL, **_ASYNCPG}
        case "pymysql":
            return {**_MYSQL, **_LIMITS, "write_timeout": _COUNT}
        case "asyncmy":
            return {**_MYSQL, **_LIMITS}
        case _:
            return _MYSQL


def _libpq() -> Mapping[str, Kind]:
    """Return libpq's own options (PostgreSQL, Parameter Key Words)."""
    from psycopg import pq

    return {option.keyword.decode(): _TEXT for option in pq.Conninfo.get_defaults()}


# asyncpg and SQLAlchemy remember statements each for itself. One without a name is parsed and executed before the
# server says that it is ready again, and until then the connection to the server stays the same.
_WITHOUT_PREPARED: Mapping[str, Mapping[str, Any]] = {
    "asyncpg": {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    },
    "psycopg": {"prepare_threshold": None},
    "psycopg_async": {"prepare_threshold": None},
}


def _nearest(name: str, known: Mapping[str, Kind]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"there is no such option; did you mean {near[0]}?" if near else f"use one of {', '.join(sorted(known))}"


def _refuse(name: str, value: object, remedy: str) -> NoReturn:
    raise ConfigurationError(f"storage?{name}", "…" if name in _SECRET else value, remedy)
