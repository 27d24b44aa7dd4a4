"""PostgreSQL: a commit is one statement, and so one round trip, whatever is in it.

`held` locks the records that a commit expects, one by one in the order of their places, and takes only those whose text
is still the expected one: at READ COMMITTED a lock that had to be waited for is followed by a second look (PostgreSQL,
Transaction Isolation, section 13.2.1). What is only required is locked for share, so that the requests of one client
don't wait for each other. `gate` says whether all of them hold; where one doesn't, nothing is written. A key that
another transaction inserts at the same moment is an error of the statement, which undoes all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from oauthcore.flow.storage import DurabilityWarning
from oauthcore_sqlalchemy import durability
from oauthcore_sqlalchemy.dialects import TransactionScope, within
from oauthcore_sqlalchemy.exchange import Exchange, Row, Statement
from oauthcore_sqlalchemy.steps import Step

# The steps come as arrays, so that the statement is one and the same for all commits, and prepared once. Without the
# MATERIALIZEDs PostgreSQL would be free to look at the steps in another order, or to lock twice.
_COMMIT = text("""
WITH step AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(:kinds AS text[]), CAST(:keys AS text[]), CAST(:acts AS text[]), CAST(:expected AS text[]),
        CAST(:bodies AS text[]), CAST(:subjects AS text[]), CAST(:expiries AS bigint[])
    ) AS step (kind, key, act, expected, body, subject, expires_at)
),
held AS MATERIALIZED (
    SELECT shared.is_held OR owned.is_held AS holds
    FROM step
    LEFT JOIN LATERAL (
        SELECT true AS is_held FROM oauthcore_record AS r
        WHERE step.act = 'require' AND r.kind = step.kind AND r.key = step.key AND r.body = step.expected
        FOR SHARE OF r
    ) AS shared ON true
    LEFT JOIN LATERAL (
        SELECT true AS is_held FROM oauthcore_record AS r
        WHERE step.act <> 'require' AND r.kind = step.kind AND r.key = step.key AND r.body = step.expected
        FOR UPDATE OF r
    ) AS owned ON true
    WHERE step.expected IS NOT NULL
),
gate AS MATERIALIZED (
    SELECT coalesce(bool_and(coalesce(holds, false)), true) AND NOT EXISTS (
        SELECT FROM step
        CROSS JOIN LATERAL (
            SELECT FROM oauthcore_record AS r WHERE r.kind = step.kind AND r.key = step.key OFFSET 0
        ) AS taken
        WHERE step.expected IS NULL
    ) AS holds
    FROM held
),
removed AS (
    DELETE FROM oauthcore_record AS r USING step
    WHERE step.act = 'delete' AND r.kind = step.kind AND r.key = step.key AND (SELECT holds FROM gate)
),
replaced AS (
    UPDATE oauthcore_record AS r
    SET subject = step.subject, expires_at = step.expires_at, body = step.body
    FROM step
    WHERE step.act = 'replace' AND r.kind = step.kind AND r.key = step.key AND (SELECT holds FROM gate)
),
inserted AS (
    INSERT INTO oauthcore_record (kind, key, subject, expires_at, body)
    SELECT kind, key, subject, expires_at, body FROM step
    WHERE act IN ('insert', 'touch') AND (SELECT holds FROM gate)
)
SELECT holds FROM gate
""")

_TOUCHED = text("""
DELETE FROM oauthcore_record
WHERE (kind, key) IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[])))
""")

# Locked rows are being removed by another purge, or in use: the next purge may remove them. Materialized, since a plan
# may run a subquery once for each row it looks at, and with SKIP LOCKED and LIMIT each time finds others.
_PURGE = text("""
WITH expired AS MATERIALIZED (
    SELECT kind, key FROM oauthcore_record WHERE expires_at < :before ORDER BY expires_at LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
DELETE FROM oauthcore_record USING expired
WHERE oauthcore_record.kind = expired.kind AND oauthcore_record.key = expired.key
""")


class PostgreSql:
    """Write as PostgreSQL does it best."""

    begin = "BEGIN ISOLATION LEVEL READ COMMITTED"

    def commit(self, steps: Sequence[Step], transaction: TransactionScope, *, alone: bool) -> Exchange[bool]:
        """Make all steps or none."""
        touched = [step.row for step in steps if step.act == "touch"]
        if alone and not touched:
            return self._at_once(steps)
        return within(transaction, self._in_turn(steps, touched))

    def purge(self, expired_before: int, limit: int, transaction: TransactionScope) -> Exchange[int]:
        """Remove at most `limit` expired records."""
        removed = yield Statement(_PURGE, {"before": expired_before, "limit": limit})
        return removed.rowcount

    def durability_warnings(self) -> Exchange[tuple[DurabilityWarning, ...]]:
        """Ask which settings may lose what was committed."""
        return durability.check_durability(durability.POSTGRESQL, durability.POSTGRESQL_SETTINGS, by_name=True)

    def _at_once(self, steps: Sequence[Step]) -> Exchange[bool]:
        try:
            written = yield Statement(_COMMIT, _parameters(steps))
        except IntegrityError:
            return False
        return bool(written.scalar_one())

    def _in_turn(self, steps: Sequence[Step], touched: Sequence[Row]) -> Exchange[bool]:
        written = yield Statement(_COMMIT, _parameters(steps))
        holds = bool(written.scalar_one())
        if holds and touched:
            yield Statement(
                _TOUCHED, {"kinds": [row["kind"] for row in touched], "keys": [row["key"] for row in touched]}
            )
        return holds


def _parameters(steps: Sequence[Step]) -> Row:
    rows = [step.row for step in steps]
    return {
        "kinds": [row["kind"] for row in rows],
        "keys": [row["key"] for row in rows],
        "acts": [step.act for step in steps],
        "expected": [step.expected_body for step in steps],
        "bodies": [row["body"] for row in rows],
        "subjects": [row["subject"] for row in rows],
        "expiries": [row["expires_at"] for row in rows],
    }
