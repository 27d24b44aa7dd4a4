"""Forking: no connection may be open while a process is copied, or two would hold the same locks.

SQLite is not made for it, and may spoil the file (SQLite, How To Corrupt, section 2.6). And the writer's thread would
be missing in the copy: commits would wait for ever. Servers do fork with an application in them, some by default.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Be what may hold the file open."""

    def pause(self) -> None:
        """Close the file, and queue everything until `go_on`."""

    def go_on(self) -> None:
        """Open it again when it is needed."""


_watched: WeakSet[Forkable] = WeakSet()
_paused: list[Forkable] = []


def watch(*those: Forkable) -> None:
    """Make these close the file whenever the process forks."""
    _watched.update(those)


def _before() -> None:
    for one in list(_watched):
        one.pause()
        _paused.append(one)


def _after() -> None:
    while _paused:
        _paused.pop().go_on()


if hasattr(os, "register_at_fork"):  # where there is such a thing as a fork
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
