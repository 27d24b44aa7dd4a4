"""The database file, watched: commits to a file that was removed or replaced would be lost unnoticed.

Open descriptors keep a removed file alive, and every commit to it succeeds until the process ends (SQLite, How To
Corrupt, section 4). So the file of that name must still be the one that was opened, by device and inode, and so must
the write-ahead log and its index. This is checked before each commit, and once a second if there are only finds, since
a check may take as long as a find.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TypeAlias

Identity: TypeAlias = tuple[int, int] | None

# For how many seconds finds rely on the last look.
LOOK_EVERY = 1.0


class FileMoved(sqlite3.OperationalError):
    """Say that the database file is not the one that was opened; nothing was found or committed."""


class DatabaseFile:
    """Hold which file it is, from when it was opened."""

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic) -> None:
        # Absolute, since the process may change its working directory.
        self.path = path.absolute()
        self._name = str(self.path)
        self._identity = _identity_of(self._name)
        self._clock = clock
        self._looked_at: float | None = None

    def check_sometimes(self) -> None:
        """Raise `FileMoved` as `check` does, if it was not called within the last second, or has raised."""
        if self._looked_at is None or self._clock() - self._looked_at >= LOOK_EVERY:
            self.check()

    def check(self) -> None:
        """Raise `FileMoved` unless the file of that name is the one that was opened."""
        is_same = _identity_of(self._name) == self._identity
        self._looked_at = self._clock() if is_same else None
        if not is_same:
            raise FileMoved(f"{self._name} was removed or replaced while it was open: put it back, or restart")

    def log(self) -> tuple[Identity, Identity]:
        """Return which files the write-ahead log and its index are, where SQLite keeps them."""
        return _identity_of(f"{self._name}-wal"), _identity_of(f"{self._name}-shm")

    def check_log(self, log: tuple[Identity, Identity]) -> None:
        """Raise `FileMoved` unless the log and its index are what they were."""
        if self.log() != log:
            raise FileMoved(f"{self._name}-wal or -shm was removed while it was open: restart")


def _identity_of(name: str) -> Identity:
    """Return the identity of the file with that name, None if there is none."""
    try:
        found = os.stat(name)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
