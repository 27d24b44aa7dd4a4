"""The storage: Django's ORM on one of Django's connections, with a transaction for each commit.

A record is locked first and then compared here, since some databases consider `a` and `A` equal in any column. Locks
are taken in the order of the keys, so that two commits on the same records wait for each other and never deadlock.
Within a transaction of the caller's (`ATOMIC_REQUESTS`), True means that the commit takes effect if that transaction
does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import IntegrityError, OperationalError, ProgrammingError, connections, transaction
from django.db.models import F, QuerySet

from oauthcore.errors import ConfigurationError
from oauthcore.flow.outcome import Change, Delete, Insert, R, Replace, Require, S
from oauthcore.records.kinds import check_partition, is_found_by_subject, kind_name
from oauthcore.records.record import Record
from oauthcore.storage.codec import dump, load
from oauthcore_django import models

# The characters that all databases compare in the same way.
_PLAIN = re.compile(r"[a-z0-9._:/-]{1,255}")
_LATEST = 2**63 - 1
# Serialization failure and deadlock (PostgreSQL, appendix A, class 40); deadlock, and a record that has changed since
# it was last read (MariaDB, error codes).
_UNDONE: frozenset[Any] = frozenset({"40001", "40P01", 1213, 1020})
# The table does not exist (PostgreSQL, appendix A, class 42; MySQL, error codes).
_NO_TABLE: frozenset[Any] = frozenset({"42P01", 1146})
ATTEMPTS = 5

T = TypeVar("T")


class _Lost(Exception):
    """Raised to roll back when a precondition fails."""


class DjangoStorage:
    """Keep records in the table of this application, on the connection with that alias.

    Records of one `partition` are never found in another, so that several issuers can share a database.
    """

    def __init__(self, using: str = "default", *, partition: str = "") -> None:
        check_partition(partition)
        self._using = using
        self._partition = partition

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        with self._with_tables():
            for body in self._rows(kind=self._kind(kind), key=named(key)).values_list("body", flat=True):
                return load(kind, body)
        return None

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        bodies = self._rows(kind=self._kind(kind), subject=named(subject)).values_list("body", flat=True)
        with self._with_tables():
            return [load(kind, body) for body in bodies]

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once and return True; or none, and return False, if a precondition fails."""

        def apply() -> bool:
            for change in sorted(changes, key=_place):
                self._apply(change)
            return True

        try:
            return self._persisted(apply)
        except (_Lost, IntegrityError):
            return False

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second; return their number."""
        expired = self._rows(expires_at__lt=expired_before).order_by("expires_at")

        def remove(rows: QuerySet[models.Record]) -> int:
            ids = list(rows.values_list("pk", flat=True)[: max(limit, 0)])
            removed, _ = self._rows(pk__in=ids, expires_at__lt=expired_before).delete()
            return removed

        if connections[self._using].features.has_select_for_update_skip_locked:
            # A locked row is still in use, and waiting for it could be a deadlock.
            return self._persisted(lambda: remove(expired.select_for_update(skip_locked=True)))
        # Without a transaction: one that begins with a read may be unable to write later in SQLite.
        return remove(expired)

    def _persisted(self, work: Callable[[], T]) -> T:
        """Run a function in a transaction; repeat it a few times if the database rolled back because of a conflict."""
        for left in reversed(range(ATTEMPTS)):
            try:
                with transaction.atomic(using=self._using):
                    return work()
            except OperationalError as error:
                # Within the caller's transaction everything was rolled back, and only the caller can begin again.
                if not left or connections[self._using].in_atomic_block or not was_undone(error):
                    raise
        raise AssertionError("the last attempt gives its answer or its error")

    @contextmanager
    def _with_tables(self) -> Iterator[None]:
        """Raise an error with the remedy if the table does not exist; every commit is preceded by a find."""
        try:
            yield
        except (OperationalError, ProgrammingError) as error:
            if "no such table" in str(error) or not _NO_TABLE.isdisjoint(_codes_of(error)):
                remedy = "its tables are not there: run manage.py migrate"
                raise ConfigurationError("DATABASES", self._using, remedy) from error
            raise

    def _rows(self, **conditions: object) -> QuerySet[models.Record]:
        return models.Record.objects.using(self._using).filter(**conditions)

    def _apply(self, change: Change) -> None:
        match change:
            case Insert(record):
                models.Record(**self._columns(record)).save(using=self._using, force_insert=True)
            case Replace(old, new):
                self._locked(old).update(**self._columns(new))
            case Delete(record):
                self._locked(record).delete()
            case Require(record):
                self._locked(record)

    def _locked(self, record: Record) -> QuerySet[models.Record]:
        """Return the row of a record, locked until the commit; raises `_Lost` if it has changed.

        Different text may be the same record, if an older version wrote it before a field was added.
        """
        rows = self._rows(kind=self._kind(type(record)), key=named(record.key))
        found = rows.values_list("body", flat=True)
        if connections[self._using].features.has_select_for_update:
            found = found.select_for_update()
        else:
            # SQLite has one lock for writing, and a transaction that began with a read may be unable to get it later.
            rows.update(expires_at=F("expires_at"))
        if not any(body == dump(record) or load(type(record), body) == record for body in found):
            raise _Lost
        return rows

    def _kind(self, kind: type[Record]) -> str:
        return kind_name(kind, self._partition)

    def _columns(self, record: Record) -> dict[str, Any]:
        return {
            "kind": self._kind(type(record)),
            "key": named(record.key),
            "body": dump(record),
            "subject": named(record.subject) if is_found_by_subject(record) else None,
            "expires_at": None if record.expires_at is None else min(record.expires_at, _LATEST),
        }


def was_undone(error: OperationalError) -> bool:
    """Return whether a transaction was rolled back because of a conflict (class 40; MySQL's 1213)."""
    return not _UNDONE.isdisjoint(_codes_of(error))


def _codes_of(error: OperationalError | ProgrammingError) -> tuple[Any, ...]:
    """Return the database's code for an error: the SQLSTATE of PostgreSQL, the number of MySQL."""
    return (getattr(error.__cause__, "sqlstate", None), *error.args[:1])


def named(text: str) -> str:
    """Return a key or subject in a form that no database confuses with another: unchanged, or as SHA-256.

    Keys of the core and most others are unchanged. A capital letter, an accent, a space at the end or a NUL would be
    folded by one database, trimmed by another and refused by a third.
    """
    if _PLAIN.fullmatch(text):
        return text
    # The space distinguishes it from every text that stays unchanged.
    return "sha256 " + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _place(change: Change) -> tuple[str, str]:
    record = change.old if isinstance(change, Replace) else change.record
    return kind_name(type(record)), named(record.key)
