"""What every database does in its own dialect, and what all of them do alike.

A dialect writes: it has its own way to make a commit in as few round trips as its database allows. Reading is the same
everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from oauthcore.flow.storage import DurabilityWarning
from oauthcore_sqlalchemy.exchange import Exchange, Statement
from oauthcore_sqlalchemy.steps import RecordKey, Step
from oauthcore_sqlalchemy.table import record


@attrs.frozen
class TransactionScope:
    """Hold what begins a transaction and what ends it: one of its own, or one within the application's."""

    begin: Statement
    commit: Statement
    rollback: tuple[Statement, ...]

    @classmethod
    def of_its_own(cls, begin: str) -> TransactionScope:
        """Make what stands around a transaction of the storage's own."""
        undo = Statement(text("ROLLBACK"), None, False)
        return cls(Statement(text(begin), None, True), Statement(text("COMMIT"), None, False), (undo,))

    @classmethod
    def within_another(cls) -> TransactionScope:
        """Make what stands around a part of the application's transaction."""
        begin, undo, end = (
            Statement(text(f"{what} oauthcore")) for what in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
        )
        # What is rolled back to is still there, and would pile up in the application's transaction.
        return cls(begin, end, (undo, end))


class DatabaseDialect(Protocol):
    """Know one database: how its transactions begin, how it commits, and how it purges."""

    @property
    def begin(self) -> str:
        """Return what begins a transaction."""

    def commit(self, steps: Sequence[Step], transaction: TransactionScope, *, alone: bool) -> Exchange[bool]:
        """Make all steps or none; False where a precondition failed. `alone` where no transaction is around it."""

    def purge(self, expired_before: int, limit: int, transaction: TransactionScope) -> Exchange[int]:
        """Remove at most `limit` expired records."""

    def durability_warnings(self) -> Exchange[tuple[DurabilityWarning, ...]]:
        """Ask which settings may lose what was committed."""


def within(transaction: TransactionScope, work: Exchange[bool]) -> Exchange[bool]:
    """Do work in a transaction, and end it: True is committed, False undone. A key that is taken is a race lost."""
    yield transaction.begin
    try:
        if (yield from work):
            yield transaction.commit
            return True
    except DBAPIError as error:
        # If the connection is gone, so is the transaction, or its state is unknown.
        if not error.connection_invalidated:
            yield from _undo(transaction)
        if isinstance(error, IntegrityError):
            return False
        raise
    yield from _undo(transaction)
    return False


def _undo(transaction: TransactionScope) -> Exchange[None]:
    for statement in transaction.rollback:  # noqa: UP028  # each is resumed with a result, which a tuple does not take
        yield statement


_AT = (record.c.kind == bindparam("kind"), record.c.key == bindparam("key"))
_FIND = select(record.c.body).where(*_AT)
_FIND_OF = select(record.c.body).where(record.c.subject == bindparam("subject"), record.c.kind == bindparam("kind"))
_PAGE = (
    select(record.c.key, record.c.body)
    .where(record.c.kind == bindparam("kind"), record.c.key > bindparam("after"))
    .order_by(record.c.key)
    .limit(bindparam("count"))
)
_EXPIRED = select(func.count()).select_from(record).where(record.c.expires_at < bindparam("before"))


def body_at(place: RecordKey) -> Exchange[str | None]:
    """Return the text that is stored there, or None."""
    found = yield Statement(_FIND, {"kind": place[0], "key": place[1]})
    row = found.one_or_none()
    return None if row is None else str(row[0])


def bodies_of(kind: str, subject: str) -> Exchange[list[str]]:
    """Return the texts of every record of a kind with that subject."""
    found = yield Statement(_FIND_OF, {"kind": kind, "subject": subject})
    return [str(body) for body in found.scalars()]


def bodies_at(places: Sequence[RecordKey]) -> Exchange[dict[RecordKey, str]]:
    """Return the texts that are stored at these places."""
    # Together they are found by one statement; that it may find a few more does no harm.
    kinds, keys = {kind for kind, _ in places}, {key for _, key in places}
    found = yield Statement(
        select(record.c.kind, record.c.key, record.c.body).where(record.c.kind.in_(kinds), record.c.key.in_(keys))
    )
    return {(row[0], row[1]): row[2] for row in found.all()}


def page_of(kind: str, after: str, count: int) -> Exchange[list[tuple[str, str]]]:
    """Return the next keys and texts of a kind, ordered by key."""
    found = yield Statement(_PAGE, {"kind": kind, "after": after, "count": count})
    return [(row[0], row[1]) for row in found.all()]


def count_expired(before: int) -> Exchange[int]:
    """Count what has expired before that second."""
    found = yield Statement(_EXPIRED, {"before": before})
    return int(found.scalar_one())
