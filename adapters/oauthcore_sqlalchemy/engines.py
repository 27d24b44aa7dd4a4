"""Engines as the storages want them, made of a URL.

The storages work on any engine. But on MySQL a statement that is a transaction of its own takes a round trip more,
unless the engine keeps its connections so from the beginning; and MySQL's own isolation level locks more than is asked
for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# The storages begin and end their transactions themselves. At READ COMMITTED there are no gap locks (InnoDB, section
# 17.7.1): requests that insert next to each other never meet.
_MYSQL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "connect_args": {"init_command": "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"},
}


def engine_of(url: str | URL, **options: Any) -> Engine:
    """Make an engine for a `SqlAlchemyStorage`, and for nothing else; `options` are those of `create_engine`."""
    return create_engine(url, **_options_for(url, options))


def async_engine_of(url: str | URL, **options: Any) -> AsyncEngine:
    """Make an engine for an `AsyncSqlAlchemyStorage`, and for nothing else."""
    return create_async_engine(url, **_options_for(url, options))


def _options_for(url: str | URL, options: Mapping[str, Any]) -> dict[str, Any]:
    its_own = _MYSQL if make_url(url).get_backend_name() in {"mysql", "mariadb"} else {}
    connect_args = {**its_own.get("connect_args", {}), **options.get("connect_args", {})}
    # Errors find their way into logs, and parameters are records.
    return {"hide_parameters": True, **its_own, **options, "connect_args": connect_args}
