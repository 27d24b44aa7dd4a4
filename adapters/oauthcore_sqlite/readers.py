"""The readers: as many connections as there are concurrent finds, however many threads there are.

A host may use a thread for each request. A connection for each thread would be two open files for each, and would never
be closed.
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
        self._check()  # a removed file would have records that no other process sees
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
        """Close the file, until the next find."""
        while self._idle:
            self._idle.pop().close()

    def go_on(self) -> None:
        """Do nothing: the next find opens the file."""

    def close(self) -> None:
        """Close the file for good, after the finds that are running."""
        self._is_closed = True
        self.pause()

    def _lent(self) -> sqlite3.Connection:
        if self._is_closed:
            raise sqlite3.ProgrammingError("the storage is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()
