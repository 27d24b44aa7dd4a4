"""Records in a dict, with a lock: the shortest storage that keeps the contract."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

from oauthcore.flow.outcome import Change, R, S, precondition_and_result


class DictStorage:
    def __init__(self) -> None:
        self._records: dict[tuple[type, str], Any] = {}
        self._lock = Lock()

    def find(self, kind: type[R], key: str, /) -> R | None:
        return self._records.get((kind, key))

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        return [r for r in self._records.values() if isinstance(r, kind) and r.subject == subject]

    def commit(self, changes: Sequence[Change], /) -> bool:
        with self._lock:
            records = self._records.copy()
            for old, new in map(precondition_and_result, changes):
                record: Any = old or new
                if records.pop((type(record), record.key), None) != old:
                    return False
                if new is not None:
                    records[type(new), new.key] = new
            self._records = records
            return True

    def purge(self, expired_before: int, limit: int, /) -> int:
        with self._lock:
            records = self._records.copy()
            expired = [p for p, r in records.items() if r.expires_at is not None and r.expires_at < expired_before]
            taken = expired[: max(limit, 0)]
            for place in taken:
                del records[place]
            self._records = records
            return len(taken)
