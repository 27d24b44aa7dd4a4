"""How many connections there may be, in total and from one source, and which are closed to make room for new ones.

First those without a request, the longest idle: it costs their clients a reconnect. A client has a moment to send its
first one. Then those that have waited for their client longer than an honest one needs: for the rest of a request, the
reading of a response, or the end of the connection. So clients that connect and send nothing, send slowly or do not
read can't lock out others. Only if there are none of these does a new connection wait, and is finally refused.

A source is an address, or an IPv6 /64. If it has its share already, its own connections make room, and its new ones
wait for these. The queue accepts connections until it is full; then the source with the most in it loses its last.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from oauthcore_h11.connection import Phase

# Seconds: an honest client sends its request and reads its answer at once, and the longest round trips take less.
SLOW_AFTER = 1.0
# Seconds. To look at a thousand connections takes about a millisecond: so a crowd of new ones costs little of the time.
LOOK_EVERY = 0.05


class ClientConnection(Protocol):
    """A connection that is counted, and closes when it is asked to."""

    @property
    def source(self) -> str | None:
        """Return the source of the connection; None if it is unknown, or one address stands for many clients."""

    @property
    def waits_for(self) -> tuple[Phase, float] | None:
        """Return what it waits for, and since when in the event loop's time; None while a request is processed."""

    def give_way(self) -> None:
        """Close soon."""


class ConnectionLimit:
    """Admit `total` connections, `per_source` of them from one source; let as many wait, each for `wait` seconds."""

    def __init__(self, total: int, per_source: int, wait: float) -> None:
        self._total = total
        self._per_source = per_source
        self._wait = wait
        self._admitted: dict[ClientConnection, None] = {}
        self._admitted_from: Counter[str | None] = Counter()
        self._leaving: set[ClientConnection] = set()
        self._waiting: OrderedDict[ClientConnection, asyncio.Future[None]] = OrderedDict()
        self._waiting_from: Counter[str | None] = Counter()
        self._looked_at = -math.inf
        self._look: asyncio.TimerHandle | None = None

    def change(self, total: int, per_source: int, wait: float) -> None:
        """Use other limits from now on; connections that are admitted stay."""
        self._total, self._per_source, self._wait = total, per_source, wait
        self._admit_waiting()

    async def take(self, connection: ClientConnection) -> bool:
        """Admit a connection, perhaps after a while; return False where it can't be, and has to be refused."""
        if self._has_room_for(connection.source):
            self._admit(connection)
            return True
        if len(self._waiting) >= self._total and not self._shorten_queue_for(connection.source):
            return False
        turn = self._waiting[connection] = asyncio.get_running_loop().create_future()
        self._waiting_from[connection.source] += 1
        self._make_room_soon()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait):
                    await turn
            # Not what the wait came to: the turn may have come in the very moment in which the time was over.
            return connection in self._admitted
        finally:
            self._stop_waiting(connection)

    def leave(self, connection: ClientConnection) -> None:
        """Forget a connection that has ended, or was never admitted; the first that waits and may gets its place."""
        if connection not in self._admitted:
            return
        was_full = len(self._admitted) >= self._total
        del self._admitted[connection]
        self._leaving.discard(connection)
        decrement(self._admitted_from, connection.source)
        # With room for all, only those of the same source had anything to wait for.
        if was_full or self._waiting_from[connection.source]:
            self._admit_waiting()

    def _has_room_for(self, source: str | None) -> bool:
        return len(self._admitted) < self._total and not self._has_its_share(source)

    def _has_its_share(self, source: str | None) -> bool:
        return source is not None and self._admitted_from[source] >= self._per_source

    def _shorten_queue_for(self, source: str | None) -> bool:
        """Refuse the last connection of the source with the most in the queue; False if that is the newcomer's own."""
        most = max(self._waiting_from, key=self._length_of, default=None)
        if most is None or self._waiting_from[most] <= self._waiting_from[source] + 1:
            return False
        last = next(connection for connection in reversed(self._waiting) if connection.source == most)
        turn = self._waiting[last]
        self._stop_waiting(last)
        turn.set_result(None)
        return True

    def _length_of(self, source: str | None) -> int:
        """Count the waiting connections of a source; those of a proxy belong to many clients, and are not limited."""
        return 0 if source is None else self._waiting_from[source]

    def _admit(self, connection: ClientConnection) -> None:
        self._admitted[connection] = None
        self._admitted_from[connection.source] += 1

    def _admit_waiting(self) -> None:
        for connection, turn in list(self._waiting.items()):
            if len(self._admitted) >= self._total:
                return
            if not turn.done() and self._has_room_for(connection.source):
                self._stop_waiting(connection)
                self._admit(connection)
                turn.set_result(None)

    def _stop_waiting(self, connection: ClientConnection) -> None:
        if self._waiting.pop(connection, None) is not None:
            decrement(self._waiting_from, connection.source)

    def _make_room_soon(self) -> None:
        """Try to make room, now or when the minimum interval has passed."""
        loop = asyncio.get_running_loop()
        if self._look is not None:
            return
        if loop.time() - self._looked_at >= LOOK_EVERY:
            self._make_room()
        else:
            self._look = loop.call_at(self._looked_at + LOOK_EVERY, self._make_room)

    def _make_room(self) -> None:
        """Close one connection for each that waits, as far as there are any that may be closed."""
        now = self._looked_at = asyncio.get_running_loop().time()
        self._look = None
        candidates = Candidates(self._who_may_be_asked(now))
        free = self._total - len(self._admitted) + len(self._leaving)
        staying = self._admitted_from - Counter(connection.source for connection in self._leaving)
        for waiting in self._waiting:
            has_its_share = waiting.source is not None and staying[waiting.source] >= self._per_source
            if has_its_share or free <= 0:
                chosen = candidates.of(waiting.source) if has_its_share else candidates.any()
                if chosen is None:
                    continue
                self._leaving.add(chosen)
                chosen.give_way()
                free += 1
                staying[chosen.source] -= 1
            free -= 1
            staying[waiting.source] += 1
        if self._waiting:
            self._look = asyncio.get_running_loop().call_at(now + LOOK_EVERY, self._make_room)

    def _who_may_be_asked(self, now: float) -> list[ClientConnection]:
        """Return the connections that may be closed, in that order."""
        found: list[tuple[bool, float, int, ClientConnection]] = []
        for number, connection in enumerate(self._admitted):
            waits_for = None if connection in self._leaving else connection.waits_for
            if waits_for is None:
                continue
            phase, since = waits_for
            if phase is Phase.IDLE or now - since >= SLOW_AFTER:
                found.append((phase not in {Phase.FIRST, Phase.IDLE}, since, number, connection))
        return [connection for *_, connection in sorted(found)]


class Candidates:
    """Choose each connection once, in order, among all or among those of a source."""

    def __init__(self, ordered: Iterable[ClientConnection]) -> None:
        self._left = dict.fromkeys(ordered)
        self._left_of: dict[str | None, dict[ClientConnection, None]] = {}
        for connection in self._left:
            self._left_of.setdefault(connection.source, {})[connection] = None

    def any(self) -> ClientConnection | None:
        """Return the next of all."""
        return self._taken(self._left)

    def of(self, source: str | None) -> ClientConnection | None:
        """Return the next of a source."""
        return self._taken(self._left_of.get(source, {}))

    def _taken(self, among: dict[ClientConnection, None]) -> ClientConnection | None:
        chosen = next(iter(among), None)
        if chosen is not None:
            del self._left[chosen]
            del self._left_of[chosen.source][chosen]
        return chosen


def decrement(counter: Counter[str | None], source: str | None) -> None:
    """Count one less, and keep nothing of a source that has none left: there are as many as there are addresses."""
    counter[source] -= 1
    if not counter[source]:
        del counter[source]
