"""Passwords: argon2id (RFC 9106), a few at a time, off the event loop, and in fair turns.

The time of a failed login must not reveal whether there is such a user. Hashes keep the parameters with which they were
made, so after a change of these some are quick and others slow. Therefore a failed login takes as long as one check
with each of the parameters that stored hashes have, for every user; the caller passes these.
"""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from oauthcore import Secret
from oauthcore_h11.fair_queue import FairQueue

T = TypeVar("T")

# For each thread that hashes, so many may wait: at 40 ms a hash the last of them waits a little more than a second.
QUEUED_FOR_EACH = 32


class TooBusy(Exception):
    """Report that more passwords wait to be checked than can be in reasonable time."""


class Passwords:
    """Hash and check passwords. `memory`, in KiB, is taken by each of the `at_once` that run at the same time."""

    def __init__(self, *, memory: int, passes: int, at_once: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=1)
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._at_once = at_once
        self._running = 0
        self._queue = FairQueue[asyncio.Future[None]](at_once * QUEUED_FOR_EACH)
        # The parameters of what is hashed here, as they stand in front of each hash.
        self.parameters = parameters_of(self._hasher.hash(b"")) or ""

    def hash(self, password: Secret) -> str:
        """Return a hash to remember, in the PHC string format."""
        return self._hasher.hash(password.reveal())

    async def verify(
        self,
        password_hash: str | None,
        password: Secret,
        *,
        flows: Sequence[str] = (),
        step: float = 1.0,
        parameters: Iterable[str] = (),
    ) -> bool:
        """Return whether that is the password; None is never right, and costs the same. Raises `TooBusy`.

        `parameters` are those that stored hashes have, by default those of new ones; `flows` and `step` say whose turn
        it is.
        """
        every = frozenset(parameters) or {self.parameters}
        return await self._in_turn(lambda: self._is_right(password_hash, password, every), flows, step)

    async def rehash(self, password: Secret, *, flows: Sequence[str] = (), step: float = 1.0) -> str:
        """Return a hash to remember, without keeping the event loop waiting. Raises `TooBusy`."""
        return await self._in_turn(lambda: self.hash(password), flows, step)

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a hash was made with other parameters than these."""
        return self._hasher.check_needs_rehash(password_hash)

    def is_hash(self, text: str) -> bool:
        """Return whether a text is a hash that can be checked here."""
        return self._matches(text, b"") is not None

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_right(self, password_hash: str | None, password: Secret, parameters: frozenset[str] | set[str]) -> bool:
        typed = password.reveal().encode("utf-8", "surrogatepass")
        matches = None if password_hash is None else self._matches(password_hash, typed)
        if matches:
            return True
        # One that can't be read took no time.
        checked = None if matches is None or password_hash is None else parameters_of(password_hash)
        for other in sorted(parameters - {checked}):
            self._matches(nobodys_hash(other), typed)
        return False

    def _matches(self, password_hash: str, typed: bytes) -> bool | None:
        """Return whether a hash is that of a password; None for a text that is no hash."""
        try:
            return self._hasher.verify(password_hash, typed)
        except InvalidHashError:
            return None
        except VerificationError:
            return False

    async def _in_turn(self, call: Callable[[], T], flows: Sequence[str], step: float) -> T:
        """Have a thread do something, when it is the turn of the one that it is done for."""
        turn = asyncio.get_running_loop().create_future()
        loser = self._queue.add(turn, flows, step)
        if loser is turn:
            raise TooBusy
        if loser is not None and not loser.done():
            loser.set_exception(TooBusy())
        self._go_on()
        try:
            await turn
        except asyncio.CancelledError:
            self._queue.remove(turn)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._end_turn()
            raise
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        self._running -= 1
        self._go_on()

    def _go_on(self) -> None:
        """Hand out turns for as long as a thread is free."""
        while self._running < self._at_once and (turn := self._queue.next()) is not None:
            if not turn.done():
                self._running += 1
                turn.set_result(None)


def parameters_of(password_hash: str) -> str | None:
    """Return what stands in front of a hash, which function and at what cost; None for a text that is no hash."""
    try:
        extract_parameters(password_hash)
    except InvalidHashError:
        return None
    return "$".join(password_hash.split("$")[:4])


def nobodys_hash(parameters: str) -> str:
    """Return a hash that no password has, of the lengths that argon2-cffi's have."""
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode("ascii") for size in (16, 32))
    return f"{parameters}${salt}${digest}"
