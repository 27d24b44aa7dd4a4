"""Durability: whether the database's configuration keeps what it has committed, checked when a host starts.

A redeemed code must stay redeemed. The databases' defaults keep what is committed. Settings that trade this for speed
are reported with what may be lost; the operator decides whether it matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
from sqlalchemy import Executable, text

from oauthcore.flow.storage import DurabilityWarning
from oauthcore_sqlalchemy.exchange import Exchange, Statement


@attrs.frozen
class Watched:
    """Hold a setting's durable values, and the remedy for any other.

    `only_if` is another setting and its value: unless that has this value, this setting does not matter.
    """

    setting: str
    good: frozenset[str]
    remedy: str
    only_if: tuple[str, str] | None = None

    def warning(self, settings: Mapping[str, str]) -> DurabilityWarning | None:
        """Return the problems of a server's settings; unknown settings have none."""
        value = settings.get(self.setting)
        if value is None or value in self.good:
            return None
        if self.only_if is not None and settings.get(self.only_if[0]) != self.only_if[1]:
            return None
        return DurabilityWarning(self.setting, value, self.remedy)


_ON = frozenset({"on", "ON", "1"})
_OFF = frozenset({"off", "OFF", "0"})
_CRASH = "or the last commits end with the machine"

# PostgreSQL, sections 19.5 (Write Ahead Log) and 19.6; a standby has each of them set as its primary has.
POSTGRESQL = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
POSTGRESQL_SETTINGS = (
    Watched("fsync", _ON, "turn it on, or a power cut may leave nothing that can be read"),
    Watched("full_page_writes", _ON, "turn it on, or a power cut may leave pages that are half written"),
    Watched(
        "synchronous_commit",
        frozenset({"on", "remote_write", "remote_apply", "local"}),
        f"set it to on, {_CRASH}",
    ),
    Watched("default_transaction_read_only", _OFF, "turn it off, or nothing can be committed"),
    Watched("in_hot_standby", _OFF, "name the primary, as a standby takes no commits and its finds are late"),
)

# MySQL, sections 17.14 (InnoDB) and 19.1.6.4 (binary log); MariaDB's 3 flushes as 1 does, in an older way.
MYSQL = text("SHOW GLOBAL VARIABLES")
MYSQL_SETTINGS = (
    Watched("innodb_flush_log_at_trx_commit", frozenset({"1", "3"}), f"set it to 1, {_CRASH}"),
    Watched(
        "innodb_doublewrite",
        frozenset({*_ON, "DETECT_AND_RECOVER"}),
        "turn it on, or a power cut may leave pages that are half written",
    ),
    Watched("sync_binlog", frozenset({"1"}), f"set it to 1, {_CRASH}, or are at its replicas alone", ("log_bin", "ON")),
    Watched("read_only", _OFF, "name the primary, as a replica takes no commits and its finds are late"),
)

# SQLite, PRAGMA synchronous: 2 is FULL, 3 EXTRA.
SQLITE = text("SELECT 'synchronous', synchronous FROM pragma_synchronous")
SQLITE_SETTINGS = (Watched("synchronous", frozenset({"2", "3"}), f"set it to FULL, {_CRASH}"),)


def check_durability(
    statement: Executable, watched: Iterable[Watched], *, by_name: bool = False
) -> Exchange[tuple[DurabilityWarning, ...]]:
    """Read the settings of a database, by name if it needs a list of them; return their problems."""
    watched = tuple(watched)
    found = yield Statement(statement, {"names": [one.setting for one in watched]} if by_name else None)
    settings = {str(row[0]): str(row[1]) for row in found.all()}
    warnings = (one.warning(settings) for one in watched)
    return tuple(warning for warning in warnings if warning is not None)
