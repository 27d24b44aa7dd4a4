"""The storage: Django's ORM on one of Django's connections, a transaction to a commit.

Preconditions are conditional writes, and locks are taken in the order of the keys, so that two commits that want the
same records wait for each other and never in a circle. Within a transaction of the caller's (`ATOMIC_REQUESTS`) a
commit is as final as that: then True means that it will be there if the request's own transaction is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import IntegrityError, connections, transaction
from django.db.models import F, QuerySet

from oauthcore.codec import dump, load
from oauthcore.outcome import Change, Delete, Insert, R, Replace, Require, S
from oauthcore.records import BY_SUBJECT, Record
from oauthcore_django import models


class _Lost(Exception):
    """Roll back: a precondition failed."""


class DjangoStorage:
    """Keep records in the table of this application, on the connection with that alias."""

    def __init__(self, using: str = "default") -> None:
        self._using = using

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Give the record of that kind under that key, or None."""
        row = self._rows(kind=kind.__name__, key=key).values_list("key", "body").first()
        # Some databases take `a` for `A`.
        return load(kind, row[1]) if row is not None and row[0] == key else None

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Give every record of that kind with that subject."""
        bodies = self._rows(kind=kind.__name__, subject=subject).values_list("body", flat=True)
        # Some databases take `a` for `A`: the list would be another person's, and so would what he takes back.
        return [record for record in (load(kind, body) for body in bodies) if record.subject == subject]

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once, or none and give False because a precondition failed."""
        try:
            with transaction.atomic(using=self._using):
                for change in sorted(changes, key=_place):
                    self._apply(change)
        except (_Lost, IntegrityError):
            return False
        return True

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second, and tell how many."""
        expired = self._rows(expires_at__lt=expired_before).order_by("expires_at")
        ids = list(expired.values_list("pk", flat=True)[:limit])
        removed, _ = self._rows(pk__in=ids, expires_at__lt=expired_before).delete()
        return removed

    def _rows(self, **conditions: object) -> QuerySet[models.Record]:
        # Without the model's default order: there is none, and `first` would add one.
        return models.Record.objects.using(self._using).filter(**conditions).order_by()

    def _apply(self, change: Change) -> None:
        match change:
            case Insert(record):
                models.Record(**_columns(record)).save(using=self._using, force_insert=True)
            case Replace(old, new):
                _demand(self._change(old, lambda rows: rows.update(**_columns(new))))
            case Delete(record):
                _demand(self._change(record, lambda rows: rows.delete()[0]))
            case Require(record):
                _demand(self._change(record, self._lock))

    def _change(self, record: Record, change: Callable[[QuerySet[models.Record]], int]) -> int:
        """Change the row of a record, if it is still that record; count what was changed.

        It is looked for by its text. Where that is not there, the record may still be, in the words of a version that
        knew a field less; so it is read once, and looked for by the text that it has.
        """
        place = {"kind": type(record).__name__, "key": record.key}
        changed = change(self._rows(**place, body=dump(record)))
        if changed:
            return changed
        row = self._rows(**place).values_list("key", "body").first()
        if row is None or row[0] != record.key or load(type(record), row[1]) != record:
            return 0
        return change(self._rows(**place, body=row[1]))

    def _lock(self, rows: QuerySet[models.Record]) -> int:
        """Count what is to stay as it is until the commit, and keep others from changing it."""
        if connections[self._using].features.has_select_for_update:
            return len(rows.select_for_update().values_list("pk"))
        # SQLite: a write takes the one lock there is, and a transaction that began by reading could not get it later.
        return rows.update(expires_at=F("expires_at"))


def _place(change: Change) -> tuple[str, str]:
    record = change.old if isinstance(change, Replace) else change.record
    return (type(record).__name__, record.key)


def _columns(record: Record) -> dict[str, Any]:
    subject = getattr(record, "subject", None) if isinstance(record, BY_SUBJECT) else None
    return {
        "kind": type(record).__name__,
        "key": record.key,
        "body": dump(record),
        "subject": subject,
        "expires_at": record.expires_at,
    }


def _demand(rows: int) -> None:
    if rows != 1:
        raise _Lost
