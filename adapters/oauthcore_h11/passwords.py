"""Passwords: argon2id (RFC 9106), a few at a time, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from oauthcore import Secret

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
        self._most = at_once * (1 + QUEUED_FOR_EACH)
        self._waiting = 0
        # A hash that no password has: who is unknown is checked against it, and so takes as long as who is known.
        self._nobodys = self._hasher.hash(b"")

    def hash(self, password: Secret) -> str:
        """Give a hash to remember, in the PHC string format."""
        return self._hasher.hash(password.reveal())

    async def verify(self, password_hash: str | None, password: Secret) -> bool:
        """Tell whether that is the password; None costs the same and is never right. Raises `TooBusy`."""
        return await self._off_the_loop(lambda: self._is_right(password_hash, password))

    async def rehash(self, password: Secret) -> str:
        """Give a hash to remember, without keeping the event loop waiting. Raises `TooBusy`."""
        return await self._off_the_loop(lambda: self.hash(password))

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with other parameters than these."""
        return self._hasher.check_needs_rehash(password_hash)

    def is_hash(self, text: str) -> bool:
        """Tell whether a text is a hash that can be checked here."""
        try:
            return self._hasher.verify(text, b"")
        except InvalidHashError:
            return False
        except VerificationError:
            return True

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_right(self, password_hash: str | None, password: Secret) -> bool:
        try:
            self._hasher.verify(password_hash or self._nobodys, password.reveal().encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    async def _off_the_loop(self, call: Callable[[], T]) -> T:
        if self._waiting >= self._most:
            raise TooBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._waiting -= 1
