"""Records in memory, for demos and tests: the shortest storage that fulfils the contract.

It is thread-safe. Its lock is the only use of threads in the core.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from threading import Lock

from oauthcore.flow.outcome import Change, R, S, precondition_and_result
from oauthcore.records.kinds import has_subject
from oauthcore.records.record import Record


class MemoryStorage:
    """Keep records in a dict; lost when the process ends."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records: dict[tuple[type[Record], str], Record] = {(type(r), r.key): r for r in records}
        self._lock = Lock()

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Return the record of that kind under that key, or None."""
        record: R | None = self._records.get((kind, key))  # type: ignore[assignment]  # the key has the type
        return record

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Return every record of that kind with that subject."""
        # As in a database, which has an index for some kinds: else what is found here alone would be noticed late.
        if not has_subject(kind):
            return []
        with self._lock:
            return [
                record for record in self._records.values() if isinstance(record, kind) and record.subject == subject
            ]

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Apply all changes at once and return True; or none, and return False, if a precondition fails."""
        with self._lock:
            records = self._records
            written: dict[tuple[type[Record], str], Record | None] = {}
            deletes = False
            for change in changes:
                expected, new = precondition_and_result(change)
                record = new or expected
                assert record is not None
                place = (type(record), record.key)
                # A change sees the result of earlier changes in the same commit.
                stored = written[place] if place in written else records.get(place)
                if stored is not expected and stored != expected:
                    return False
                if new is not expected:
                    written[place] = new
                    deletes = deletes or new is None
            # One step, since `find` takes no lock: it sees all changes or none. Deleted records are None until below.
            records.update(written)  # type: ignore[arg-type]  # None is removed below
            if deletes:
                for place, kept in written.items():
                    if kept is None:
                        del records[place]
            return True

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Remove at most `limit` records that expired before that second; return their number."""
        with self._lock:
            expired = (
                place
                for place, record in self._records.items()
                if record.expires_at is not None and record.expires_at < expired_before
            )
            places = list(islice(expired, max(limit, 0)))
            for place in places:
                del self._records[place]
            return len(places)

    def __len__(self) -> int:
        return len(self._records)
