"""Sweeping: walking the keys in steps, for what no key leads to: leftovers, and an operator's lists.

Nothing that a request needs comes here. Where others share the server, SCAN passes their keys too, a thousand in less
than a millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from oauthcore.flow.outcome import R
from oauthcore_redis.commands import LOOKED_AT, PAGE, Command, CommandFlow, Operations, read


class Sweep:
    """Walk the keys, from where the last purge has come to; `rounds` is how often that has been the end of them."""

    def __init__(self, operations_of: Operations) -> None:
        self.rounds = 0
        self._operations = operations_of
        self._cursor = b"0"

    def purge(self, expired_before: int, limit: int) -> CommandFlow[int]:
        """Remove what has expired and is still there, `limit` records at most, from the next few thousand keys."""
        removed, cursor = 0, self._cursor
        looked_at, is_from_the_start = 0, False
        while removed < limit and looked_at < LOOKED_AT:
            is_from_the_start = is_from_the_start or cursor == b"0"
            onward, keys = yield from self._page(cursor, self._operations.names.all)
            if keys:
                removed += yield from self._operations.purge(keys, expired_before, limit - removed)
            if removed < limit:  # else there may be more in this very page
                cursor = onward
                self.rounds += cursor == b"0"
            looked_at += PAGE
            if cursor == b"0" and is_from_the_start:
                break
        self._cursor = cursor
        return removed

    def every(self, kind: type[R]) -> CommandFlow[Sequence[R]]:
        """Return every record of a kind, ordered by key."""
        found: dict[bytes, R] = {}
        cursor = b"0"
        while True:
            cursor, keys = yield from self._page(cursor, self._operations.names.of_kind(kind))
            texts = (yield Command((b"MGET", *keys), is_safe=True)) if keys else ()
            found |= {key: read(kind, text) for key, text in zip(keys, texts, strict=True) if text is not None}
            if cursor == b"0":
                return [found[key] for key in sorted(found)]

    def _page(self, cursor: bytes, prefix: bytes) -> CommandFlow[tuple[bytes, list[bytes]]]:
        """Return the next page of keys that begin so, and where to go on; a key may be met twice (Redis, SCAN)."""
        words = (b"SCAN", cursor, b"MATCH", pattern_of(prefix), b"COUNT", str(PAGE).encode())
        onward, keys = yield Command(words, is_safe=True)
        if isinstance(onward, dict):  # in a cluster redis-py tells for which server it is
            (onward,) = onward.values()
        return str(int(onward)).encode(), list(dict.fromkeys(keys))


def pattern_of(prefix: bytes) -> bytes:
    """Return the glob pattern of what begins so."""
    return re.sub(rb"([\[\]*?\\^])", rb"\\\1", prefix) + b"*"
