"""SQLite: there is one writer at a time, so only the order within a commit matters.

Every statement is a conditional write, and the first one takes the file's only lock. A record that is only required is
written unchanged, since a transaction that began with a read could not write after another process had written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import BindParameter, Executable, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from oauthcore.flow.storage import DurabilityWarning
from oauthcore_sqlalchemy import durability
from oauthcore_sqlalchemy.dialects import TransactionScope, within
from oauthcore_sqlalchemy.exchange import Exchange, Row, Statement
from oauthcore_sqlalchemy.steps import Act, Step
from oauthcore_sqlalchemy.table import record

_STILL = (
    record.c.kind == bindparam("at_kind"),
    record.c.key == bindparam("at_key"),
    record.c.body == bindparam("expected"),
)
_NEW: dict[str, BindParameter[str | int | None]] = {
    name: bindparam(f"new_{name}") for name in ("subject", "expires_at", "body")
}


def _where(step: Step) -> Row:
    return {"at_kind": step.place[0], "at_key": step.place[1], "expected": step.expected_body or ""}


def _where_and_what(step: Step) -> Row:
    return {**_where(step), **{f"new_{name}": step.row[name] for name in _NEW}}


# A row that is touched is inserted and, by the statement after that, deleted.
_WRITES: tuple[tuple[Executable, frozenset[Act], Callable[[Step], Row]], ...] = (
    (update(record).where(*_STILL).values(body=record.c.body), frozenset({"require"}), _where),
    (update(record).where(*_STILL).values(**_NEW), frozenset({"replace"}), _where_and_what),
    (insert(record).on_conflict_do_nothing(), frozenset({"insert", "touch"}), lambda step: step.row),
    (delete(record).where(*_STILL), frozenset({"delete", "touch"}), _where),
)

_PURGE = delete(record).where(
    tuple_(record.c.kind, record.c.key).in_(
        select(record.c.kind, record.c.key)
        .where(record.c.expires_at < bindparam("before"))
        .order_by(record.c.expires_at)
        .limit(bindparam("limit"))
    )
)


class Sqlite:
    """Write as SQLite does it best."""

    begin = "BEGIN IMMEDIATE"

    def commit(self, steps: Sequence[Step], transaction: TransactionScope, *, alone: bool) -> Exchange[bool]:
        """Make all steps or none."""
        return within(transaction, self._write(steps))

    def purge(self, expired_before: int, limit: int, transaction: TransactionScope) -> Exchange[int]:
        """Remove at most `limit` expired records."""
        removed = yield Statement(_PURGE, {"before": expired_before, "limit": limit})
        return removed.rowcount

    def durability_warnings(self) -> Exchange[tuple[DurabilityWarning, ...]]:
        """Ask which settings may lose what was committed."""
        return durability.check_durability(durability.SQLITE, durability.SQLITE_SETTINGS)

    def _write(self, steps: Sequence[Step]) -> Exchange[bool]:
        for statement, acts, parameters in _WRITES:
            rows = [parameters(step) for step in steps if step.act in acts]
            if rows and (yield Statement(statement, rows)).rowcount != len(rows):
                return False
        return True
