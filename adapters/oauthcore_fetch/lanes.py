"""Which requests are sent now and which wait, so that a few servers that do not answer do not delay the others.

A host is proven once it has answered, until it fails to. Hosts that are not proven share half of the lanes, and no host
has more than a quarter of them, or a half if it is proven. So an attacker who names many URLs, or many hosts, that
never answer fills only one half; requests to hosts that do answer use the other.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

import attrs

# A host that failed is not taken for proven for so many seconds, whatever it answers meanwhile: else one that answers
# and fails by turns would be.
PROBATION = 600.0
# Names of hosts, of which nothing but that is remembered.
KNOWN_HOSTS = 10_000


@attrs.frozen(eq=False)
class Waiting:
    """A waiter in the line: `start` is called when it is its turn, `expire` if that is after `until`."""

    host: str
    until: float
    start: Callable[[], object]
    expire: Callable[[], object]


class Lanes:
    """Let so many ask `at_once`. Threads may share it; what is called is called without a lock."""

    def __init__(self, at_once: int, clock: Callable[[], float] = monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._lock = Lock()
        self._line: list[Waiting] = []
        self._busy: dict[str, int] = {}
        self._proven: dict[str, None] = {}
        self._failed: dict[str, float] = {}

    def enter(self, waiting: Waiting, *, most: int | None = None) -> bool:
        """Stand in line; a waiter that was started has to call `leave`.

        Return False, without a place in the line, if `most` wait already for hosts that are not proven, and this is
        one more of them: where each waits on a thread of its own, strangers who name enough hosts would hold them all.
        """
        with self._lock:
            self._line.append(waiting)
            called = self._called()
            unproven = sum(one.host not in self._proven for one in self._line)
            is_refused = (
                most is not None and waiting in self._line and waiting.host not in self._proven and unproven > most
            )
            if is_refused:
                self._line.remove(waiting)
        for call in called:
            call()
        return not is_refused

    def is_in_line(self, waiting: Waiting) -> bool:
        """Return whether it is not their turn yet."""
        with self._lock:
            return waiting in self._line

    def give_up(self, waiting: Waiting) -> bool:
        """Leave the line; False if it is their turn already."""
        with self._lock:
            if waiting not in self._line:
                return False
            self._line.remove(waiting)
            return True

    def leave(self, host: str, *, answered: bool) -> None:
        """Free a lane, and remember whether the host answered."""
        with self._lock:
            self._busy[host] -= 1
            if not self._busy[host]:
                del self._busy[host]
            self._learn(host, answered)
            called = self._called()
        for call in called:
            call()

    def _learn(self, host: str, answered: bool) -> None:
        now = self._clock()
        self._proven.pop(host, None)
        if not answered:
            self._failed.pop(host, None)
            self._failed[host] = now
        elif now >= self._failed.get(host, now - PROBATION) + PROBATION:
            self._failed.pop(host, None)
            self._proven[host] = None
        for known in (self._proven, self._failed):
            if len(known) > KNOWN_HOSTS:  # the one that was heard of longest ago goes
                del known[next(iter(known))]

    def _called(self) -> list[Callable[[], object]]:
        """Take those out of the line whose turn it is, or is no more, and return what to call for them."""
        now = self._clock()
        called: list[Callable[[], object]] = []
        staying: list[Waiting] = []
        for waiting in self._line:
            if now >= waiting.until:
                called.append(waiting.expire)
            elif self._has_room(waiting.host):
                self._busy[waiting.host] = self._busy.get(waiting.host, 0) + 1
                called.append(waiting.start)
            else:
                staying.append(waiting)
        self._line = staying
        return called

    def _has_room(self, host: str) -> bool:
        busy, half = self._busy.get(host, 0), max(1, self._at_once // 2)
        if sum(self._busy.values()) >= self._at_once:
            return False
        if host in self._proven:
            return busy < half
        unproven = sum(count for name, count in self._busy.items() if name not in self._proven)
        return busy < max(1, self._at_once // 4) and unproven < half
