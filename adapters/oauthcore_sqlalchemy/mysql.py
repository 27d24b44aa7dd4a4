"""MySQL and MariaDB: lock the expected records, in one statement; then write the changes, one statement for each sort.

The locks are taken in the order of the keys, so that commits don't deadlock; for share if a record is only required. A
locking read sees what is committed, not the transaction's snapshot (MySQL, section 17.7.2.4), so its result holds until
the end. Changed rows need not be counted, which drivers do in different ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias, TypeVar

from sqlalchemy import TextClause, text

from oauthcore.flow.storage import DurabilityWarning
from oauthcore_sqlalchemy import durability
from oauthcore_sqlalchemy.dialects import TransactionScope, within
from oauthcore_sqlalchemy.exchange import Exchange, Row, Statement
from oauthcore_sqlalchemy.steps import RecordKey, Step

# With longer lists of ranges the optimizer would read, and lock, the whole table.
LONGEST_LIST = 100

T = TypeVar("T")

Shape: TypeAlias = tuple[tuple[bool, int], ...]
"""Runs of records that are locked alike, for share or not: how many are in each."""

_INSERT = text("""
INSERT INTO oauthcore_record (kind, `key`, subject, expires_at, body)
VALUES (:kind, :key, :subject, :expires_at, :body)
""")
# Locked rows are being removed by another purge, or in use: the next purge may remove them.
_EXPIRED = text("""
SELECT kind, `key` FROM oauthcore_record WHERE expires_at < :before ORDER BY expires_at LIMIT :limit
FOR UPDATE SKIP LOCKED
""")


# Not `=`: a row that is named so, and alone, is read while the statement is still being planned (MySQL, section 10.8.2,
# "const"), before the runs ahead of it.
_ROW = "(kind = :kind_{n} AND `key` >= :key_{n} AND `key` <= :key_{n} AND body = :body_{n})"


class MySql:
    """Write as MySQL and MariaDB do it best."""

    begin = "START TRANSACTION"

    def commit(self, steps: Sequence[Step], transaction: TransactionScope, *, alone: bool) -> Exchange[bool]:
        """Make all steps or none."""
        return within(transaction, _write(steps))

    def purge(self, expired_before: int, limit: int, transaction: TransactionScope) -> Exchange[int]:
        """Remove at most `limit` expired records."""
        removed: list[RecordKey] = []
        yield from within(transaction, _remove_expired(expired_before, limit, removed))
        return len(removed)

    def durability_warnings(self) -> Exchange[tuple[DurabilityWarning, ...]]:
        """Ask which settings may lose what was committed."""
        return durability.check_durability(durability.MYSQL, durability.MYSQL_SETTINGS)


def _write(steps: Sequence[Step]) -> Exchange[bool]:
    expected = [step for step in steps if step.expected_body is not None]
    if expected:
        shape, parameters = _locking(expected)
        if len((yield Statement(_lock(shape), parameters)).all()) != len(expected):
            return False
    # Keys that are taken come out last, when there is nothing left to wait for.
    yield from _delete([step.place for step in steps if step.act == "delete"])
    yield from _replace([step.row for step in steps if step.act == "replace"])
    if inserted := [step.row for step in steps if step.act in {"insert", "touch"}]:
        yield Statement(_INSERT, inserted)
    yield from _delete([step.place for step in steps if step.act == "touch"])
    return True


def _locking(expected: Iterable[Step]) -> tuple[Shape, Row]:
    """Return how records are locked in their order, and the parameters for it."""
    shape: list[tuple[bool, int]] = []
    parameters: dict[str, str | None] = {}
    for is_shared, run in groupby(expected, lambda step: step.act == "require"):
        for some in _in_lists(list(run)):
            shape.append((is_shared, len(some)))
            for step in some:
                number = len(parameters) // 3
                parameters |= {f"kind_{number}": step.place[0], f"key_{number}": step.place[1]}
                parameters[f"body_{number}"] = step.expected_body
    return tuple(shape), parameters


@lru_cache(maxsize=256)
def _lock(shape: Shape) -> TextClause:
    """Make the statement that locks the records which are as they are expected to be, run by run."""
    selects: list[str] = []
    number = 0
    for is_shared, count in shape:
        numbers = range(number, number + count)
        number += count
        rows = " OR ".join(_ROW.format(n=n) for n in numbers)
        how = "LOCK IN SHARE MODE" if is_shared else "FOR UPDATE"
        selects.append(f"SELECT 1 FROM oauthcore_record FORCE INDEX (PRIMARY) WHERE {rows} {how}")  # noqa: S608  # numbers
    return text(selects[0] if len(selects) == 1 else " UNION ALL ".join(f"({select})" for select in selects))


def _replace(rows: Sequence[Row]) -> Exchange[int]:
    """Replace rows that are locked, each by values of its own."""
    for some in _in_lists(rows):
        yield Statement(
            _replacing(len(some)), {f"{name}_{n}": value for n, row in enumerate(some) for name, value in row.items()}
        )
    return len(rows)


@lru_cache(maxsize=LONGEST_LIST)
def _replacing(count: int) -> TextClause:
    """Make the statement that replaces so many rows; they are all there, so that it inserts none.

    MySQL warns of VALUES() since version 8.0.20, which one driver takes a round trip more to hear, and MariaDB does not
    know what is to be used instead; a table that is made on the spot is known to both.
    """
    rows = " UNION ALL ".join(
        f"SELECT :kind_{n} AS kind, :key_{n} AS `key`, :subject_{n} AS subject, :expires_at_{n} AS expires_at, "
        f":body_{n} AS body"
        for n in range(count)
    )
    return text(
        f"INSERT INTO oauthcore_record (kind, `key`, subject, expires_at, body) "  # noqa: S608  # numbers
        f"SELECT kind, `key`, subject, expires_at, body FROM ({rows}) AS new "
        f"ON DUPLICATE KEY UPDATE subject = new.subject, expires_at = new.expires_at, body = new.body"
    )


def _delete(places: Sequence[RecordKey]) -> Exchange[int]:
    """Delete rows that are locked."""
    for some in _in_lists(places):
        rows = " OR ".join(f"(kind = :kind_{n} AND `key` = :key_{n})" for n in range(len(some)))
        parameters = {f"kind_{n}": kind for n, (kind, _) in enumerate(some)}
        parameters |= {f"key_{n}": key for n, (_, key) in enumerate(some)}
        yield Statement(text(f"DELETE FROM oauthcore_record WHERE {rows}"), parameters)  # noqa: S608  # numbers
    return len(places)


def _remove_expired(before: int, limit: int, removed: list[RecordKey]) -> Exchange[bool]:
    found = yield Statement(_EXPIRED, {"before": before, "limit": limit})
    removed += [(row[0], row[1]) for row in found.all()]
    yield from _delete(removed)
    return True


def _in_lists(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), LONGEST_LIST):
        yield items[start : start + LONGEST_LIST]
