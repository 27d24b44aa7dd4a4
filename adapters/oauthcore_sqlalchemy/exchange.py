"""What is said to a database is written once, as generators, which a blocking or an async host runs.

An `Exchange` yields statements and gets their results, on one connection. An `Operation` yields exchanges and gets
their results or errors: it knows whether an exchange that failed may be run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs
from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

Row: TypeAlias = Mapping[str, Any]


@attrs.frozen
class Statement:
    """Hold a statement and its parameters, once or for each of several rows.

    `leaves_open` says whether a transaction is open once it is done, None if it makes no difference.
    """

    statement: Executable
    parameters: Row | Sequence[Row] | None = None
    leaves_open: bool | None = None


# In quotes: SQLAlchemy 2.0 and 2.1 disagree about how many types a result has.
Exchange: TypeAlias = "Generator[Statement, CursorResult[*tuple[Any, ...]], T]"
Operation: TypeAlias = "Generator[Exchange[Any], Any, T]"


def run_exchange(connection: Connection, exchange: Exchange[T]) -> T:
    """Run an exchange by blocking calls. A connection that may not be clean afterwards is thrown away."""
    resume: Any = exchange.send
    answer: Any = None
    is_clean = True
    try:
        while True:
            try:
                statement = resume(answer)
            except StopIteration as result:
                return result.value  # type: ignore[no-any-return]  # StopIteration is not generic; Exchange[T] says it is T
            is_clean, was_clean = False, is_clean
            try:
                resume, answer = exchange.send, connection.execute(statement.statement, statement.parameters)
                is_clean = was_clean if statement.leaves_open is None else not statement.leaves_open
            except DBAPIError as failure:  # the caller decides what to do about it
                resume, answer = exchange.throw, failure
                is_clean = was_clean
    finally:
        if not is_clean and not connection.closed:
            connection.invalidate()


async def arun_exchange(connection: AsyncConnection, exchange: Exchange[T]) -> T:
    """Run an exchange, awaiting each result; one that is cancelled in the middle leaves no open transaction."""
    resume: Any = exchange.send
    answer: Any = None
    is_clean = True
    try:
        while True:
            try:
                statement = resume(answer)
            except StopIteration as result:
                return result.value  # type: ignore[no-any-return]  # StopIteration is not generic; Exchange[T] says it is T
            is_clean, was_clean = False, is_clean
            try:
                resume, answer = exchange.send, await _answer(connection, statement)
                is_clean = was_clean if statement.leaves_open is None else not statement.leaves_open
            except DBAPIError as failure:  # the caller decides what to do about it
                resume, answer = exchange.throw, failure
                is_clean = was_clean
    finally:
        if not is_clean and not connection.closed:
            await connection.invalidate()


async def _answer(connection: AsyncConnection, statement: Statement) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement. With SQLite, a cancelled task still waits for it.

    It runs in a thread that can't be stopped, and would otherwise take the file's lock after its task had ended.
    """
    executing = connection.execute(statement.statement, statement.parameters)
    if connection.dialect.name != "sqlite":
        return await executing
    task = asyncio.ensure_future(executing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
