"""The operations of a storage, exchange by exchange: which are retried after a failure, and which are not.

A find is sent once more if the connection turns out to be dead: a server that was restarted has closed them all. A
commit is sent again if the database itself has rolled it back, because of a deadlock or a serialization failure; if the
connection was dead before the first statement; and if the server is read-only, such as a former primary. If the
connection broke later, it is unknown whether the commit was made, and the error propagates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import attrs
from sqlalchemy.exc import DBAPIError

from oauthcore.errors import ConfigurationError
from oauthcore.flow.outcome import Change, R, S
from oauthcore.flow.storage import DurabilityWarning
from oauthcore.records.client import Client
from oauthcore.records.kinds import check_partition, kind_name
from oauthcore.storage.codec import load
from oauthcore_sqlalchemy import dialects
from oauthcore_sqlalchemy.dialects import DatabaseDialect, TransactionScope
from oauthcore_sqlalchemy.exchange import Exchange, Operation
from oauthcore_sqlalchemy.steps import Step, place_of, respelled, steps_of
from oauthcore_sqlalchemy.table import indexed

T = TypeVar("T")

# The order of the locks prevents deadlocks; if there is one all the same, other commits have succeeded by then.
ATTEMPTS = 5
PAGE = 200

# Serialization failure and deadlock (PostgreSQL, appendix A, class 40).
_SQLSTATES = frozenset({"40001", "40P01"})
# Deadlock, and a record that changed since it was last read (MariaDB, error codes 1213 and 1020).
_ERROR_CODES = frozenset({1213, 1020})
# A table that is not there (PostgreSQL, appendix A, class 42; MySQL, error codes).
_NO_TABLE: frozenset[Any] = frozenset({"42P01", 1146})
# A transaction, or a server, that only reads (PostgreSQL, appendix A, class 25; MySQL, error codes).
_READS_ONLY: frozenset[Any] = frozenset({"25006", 1290, 1792, 1836})


@attrs.frozen
class Terms:
    """Say on what terms commits are made: in which partition and transaction, and how often they may be tried."""

    dialect: DatabaseDialect
    transaction: TransactionScope
    alone: bool
    partition: str = ""

    @classmethod
    def of(cls, dialect: DatabaseDialect, *, alone: bool, partition: str) -> Terms:
        """Make the terms for transactions of the storage's own, or for being within the application's."""
        transaction = TransactionScope.of_its_own(dialect.begin) if alone else TransactionScope.within_another()
        check_partition(partition)
        return cls(dialect, transaction, alone, partition)


def find(kind: type[R], key: str, terms: Terms) -> Operation[R | None]:
    """Find one record."""
    body: str | None = yield from read_with_retry(lambda: dialects.body_at(place_of(kind, key, terms.partition)), terms)
    if body is None:
        return None
    return _load_client(body) if kind is Client else load(kind, body)  # type: ignore[return-value]  # R is Client


def find_of(kind: type[S], subject: str, terms: Terms) -> Operation[list[S]]:
    """Find a person's records."""
    bodies = yield from read_with_retry(
        lambda: dialects.bodies_of(kind_name(kind, terms.partition), indexed(subject)), terms
    )
    return [load(kind, body) for body in bodies]


def commit(changes: Sequence[Change], terms: Terms) -> Operation[bool]:
    """Make all changes, or none and return False."""
    steps = steps_of(changes, terms.partition)
    if not steps:
        return steps is not None
    for _ in range(ATTEMPTS):
        if (yield from write(steps, terms)):
            return True
        # Only who lost looks twice: was it a race, or an older text of the same record?
        expected = [step.place for step in steps if step.expected is not None]
        stored = (yield from read_with_retry(lambda: dialects.bodies_at(expected), terms)) if expected else {}  # noqa: B023
        other = respelled(steps, stored)
        if other is None:
            return False
        steps = other
    return False


def write(steps: Sequence[Step], terms: Terms) -> Operation[bool]:
    """Write all steps or none; again if the database has rolled them back or never received them."""
    made: bool = yield from persist(lambda: terms.dialect.commit(steps, terms.transaction, alone=terms.alone), terms)
    return made


def purge(expired_before: int, limit: int, terms: Terms) -> Operation[int]:
    """Remove at most `limit` expired records."""
    if limit <= 0:  # databases disagree about what that is
        return 0
    removed: int = yield from persist(lambda: terms.dialect.purge(expired_before, limit, terms.transaction), terms)
    return removed


def page(kind: type[R], after: str, terms: Terms) -> Operation[tuple[list[R], str | None]]:
    """Return the next records of a kind, and after which key the ones after them begin; None if there are none."""
    name = kind_name(kind, terms.partition)
    rows: list[tuple[str, str]] = yield from read_with_retry(lambda: dialects.page_of(name, after, PAGE), terms)
    return [load(kind, body) for _, body in rows], rows[-1][0] if rows else None


def expired(before: int, terms: Terms) -> Operation[int]:
    """Count what has expired before that second."""
    count: int = yield from read_with_retry(lambda: dialects.count_expired(before), terms)
    return count


def durability_warnings(terms: Terms) -> Operation[tuple[DurabilityWarning, ...]]:
    """Ask which settings may lose what was committed."""
    found: tuple[DurabilityWarning, ...] = yield from read_with_retry(terms.dialect.durability_warnings, terms)
    return found


def read_with_retry(exchange: Callable[[], Exchange[T]], terms: Terms) -> Operation[T]:
    """Run an exchange that changes nothing; once more if the connection was dead."""
    try:
        return (yield exchange())  # type: ignore[no-any-return]  # what the exchange returns is T
    except (DBAPIError, OSError) as error:
        if not terms.alone or not is_dead(error):
            raise
    return (yield exchange())  # type: ignore[no-any-return]  # what the exchange returns is T


def persist(exchange: Callable[[], Exchange[T]], terms: Terms) -> Operation[T]:
    """Run an exchange that writes; again, a few times, if it is certain that nothing of it was done."""
    for left in reversed(range(ATTEMPTS if terms.alone else 1)):
        try:
            return (yield exchange())  # type: ignore[no-any-return]  # what the exchange returns is T
        except DBAPIError as error:
            if not left or not (was_undone(error) or was_not_heard(error, terms) or reads_only(error)):
                raise
    raise AssertionError("the last attempt gives its answer or its error")


def is_dead(error: DBAPIError | OSError) -> bool:
    """Return whether an error means that the connection is gone and was closed; a timeout may be temporary."""
    if isinstance(error, OSError):
        return not isinstance(error, TimeoutError)
    return error.connection_invalidated


def was_undone(error: DBAPIError) -> bool:
    """Return whether the database says that it has undone the transaction because of others."""
    return not _codes_of(error).isdisjoint(_SQLSTATES | _ERROR_CODES)


def check_tables(error: DBAPIError, where: object) -> None:
    """Raise `ConfigurationError` for an error that means that the tables were forgotten."""
    if "no such table" in str(error.orig) or not _codes_of(error).isdisjoint(_NO_TABLE):
        remedy = (
            "its tables are not there: run oauthcore db upgrade, or oauthcore_sqlalchemy.schema.upgrade(connection)"
        )
        raise ConfigurationError("storage", str(where), remedy) from error


def reads_only(error: DBAPIError) -> bool:
    """Return whether a connection is read-only, and should be closed."""
    return not _codes_of(error).isdisjoint(_READS_ONLY)


def _codes_of(error: DBAPIError) -> frozenset[Any]:
    """Return what the database calls an error: PostgreSQL's SQLSTATE, MySQL's number."""
    original: Any = error.orig
    return frozenset((getattr(original, "sqlstate", None), *getattr(original, "args", ())[:1]))


def was_not_heard(error: DBAPIError, terms: Terms) -> bool:
    """Return whether the connection was dead before anything but the beginning of the transaction was said."""
    return error.connection_invalidated and error.statement == terms.dialect.begin


@lru_cache(maxsize=256)
def _load_client(body: str) -> Client:
    # Nearly every request needs one of a few clients, and to read one takes longer than to find it. Records are frozen,
    # so that one may be handed out many times; and the text is the key, so that no change is ever missed.
    return load(Client, body)
