"""Places: how many connections there may be at once, and who gives way when all places are taken.

First whoever is between two requests, the longest idle of them: it costs him a reconnect. Then whoever has been sending
one request for longer than an honest client needs. So those who connect and say nothing, or speak slowly on purpose,
don't keep anybody out. Only then does a new connection wait, and is turned away in the end.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Protocol

from oauthcore_h11.connection import Phase

# Seconds: an honest client sends its request at once, and the longest round trips there are take less.
SLOW_AFTER = 1.0


class Guest(Protocol):
    """Have a place, and give it up when asked."""

    @property
    def waits_for(self) -> tuple[Phase, float] | None:
        """Tell what is waited for, and since when in the event loop's time; None while a request is answered."""

    def give_way(self) -> None:
        """Leave soon."""


class Places:
    """Give places to `limit` guests, and let as many wait, each for `wait` seconds."""

    def __init__(self, limit: int, wait: float) -> None:
        self.limit = limit
        self.wait = wait
        self._guests: OrderedDict[Guest, None] = OrderedDict()
        self._leaving: set[Guest] = set()
        self._waiting: OrderedDict[Guest, asyncio.Future[None]] = OrderedDict()

    async def take(self, guest: Guest) -> bool:
        """Take a place, perhaps after a while; False where there is none."""
        if len(self._guests) < self.limit and not self._waiting:
            self._guests[guest] = None
            return True
        if len(self._waiting) >= self.limit:
            return False
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.wait
        turn = self._waiting[guest] = loop.create_future()
        try:
            while not turn.done() and loop.time() < deadline:
                self._make_room(loop.time())
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(deadline, loop.time() + SLOW_AFTER)):
                        await asyncio.shield(turn)
            return turn.done()
        finally:
            self._waiting.pop(guest, None)
            if not turn.done():
                turn.cancel()

    def leave(self, guest: Guest) -> None:
        """Give a place back; who has waited longest gets it."""
        self._leaving.discard(guest)
        self._guests.pop(guest, None)
        while self._waiting and len(self._guests) < self.limit:
            following, turn = self._waiting.popitem(last=False)
            self._guests[following] = None
            turn.set_result(None)

    def _make_room(self, now: float) -> None:
        """Have one guest give way for each who waits, as far as there are any who may be asked to."""
        for _ in range(len(self._waiting) - len(self._leaving)):
            victim = self._victim(now)
            if victim is None:
                return
            self._leaving.add(victim)
            victim.give_way()

    def _victim(self, now: float) -> Guest | None:
        """Choose who gives way."""
        idle: tuple[float, Guest] | None = None
        slow: tuple[float, Guest] | None = None
        for guest in self._guests:
            waiting = None if guest in self._leaving else guest.waits_for
            if waiting is None:
                continue
            phase, since = waiting
            if phase is Phase.IDLE and (idle is None or since < idle[0]):
                idle = (since, guest)
            elif phase is not Phase.IDLE and now - since >= SLOW_AFTER and (slow is None or since < slow[0]):
                slow = (since, guest)
        chosen = idle or slow
        return None if chosen is None else chosen[1]
