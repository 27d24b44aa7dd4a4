"""The readers: as many connections as find at once, whichever threads come and go.

A host may give each request a thread of its own. A connection for each of these would be two open files for each, and
nobody would close them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any


class Readers:
    """Lend connections for finding; they don't wait for the writer, nor for each other."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], check: Callable[[], None]) -> None:
        self._connect = connect
        self._check = check
        # A list gives and takes in one step, whatever other threads do.
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False

    def query(self, statement: str, parameters: Sequence[str | int]) -> list[Any]:
        """Return all rows that a statement finds; none for a text that no file can hold (lone surrogates)."""
        self._check()  # in a file that was removed there are records that nobody else knows
        connection = self._lent()
        try:
            return connection.execute(statement, parameters).fetchall()
        except UnicodeEncodeError:
            return []
        finally:
            self._idle.append(connection)
            if self._is_closed:
                self.pause()

    def pause(self) -> None:
        """Let go of the file, until somebody asks again."""
        while self._idle:
            self._idle.pop().close()

    def go_on(self) -> None:
        """Do nothing: who asks opens the file."""

    def close(self) -> None:
        """Let go of the file for good; what is being asked is answered first."""
        self._is_closed = True
        self.pause()

    def _lent(self) -> sqlite3.Connection:
        if self._is_closed:
            raise sqlite3.ProgrammingError("the storage is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()
