"""Forking: a child process must not use its parent's connections, or each receives responses for the other.

Servers load an application and fork, some by default; if the application has used its database by then, a request could
be answered with the records of another. So a child opens its own connections, and leaves the others to its parent
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
    """Make an engine open new connections in each child of this process."""
    _engines.add(engine)


def _begin_anew() -> None:
    for engine in list(_engines):
        _left.append(engine.pool)
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):  # where there is such a thing as a fork
    os.register_at_fork(after_in_child=_begin_anew)
