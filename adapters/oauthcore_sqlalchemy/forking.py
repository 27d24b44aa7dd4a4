"""Forking: a copy of a process must not speak on the connections of the first, or each hears what the other has asked.

Servers load an application and fork, some by default; and where it has used its database by then, one request would be
answered with the records of another. So a copy makes connections of its own, and leaves the others to the first
(SQLAlchemy, "Using Connection Pools with Multiprocessing or os.fork()").
"""

from __future__ import annotations

import os
from weakref import WeakSet

from sqlalchemy import Engine, Pool

_engines: WeakSet[Engine] = WeakSet()
# A connection that is collected may say goodbye to the server, and it is the first one's.
_left: list[Pool] = []


def watch(engine: Engine) -> None:
    """Have an engine begin anew in each copy of this process."""
    _engines.add(engine)


def _begin_anew() -> None:
    for engine in list(_engines):
        _left.append(engine.pool)
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):  # where there is such a thing as a fork
    os.register_at_fork(after_in_child=_begin_anew)
