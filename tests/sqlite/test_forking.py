"""A process that forks with a storage in it: both go on, and neither holds what is the other's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from oauthcore.flow.outcome import Insert, Replace
from oauthcore_sqlite import SqliteStorage
from oauthcore_sqlite.writer import Step, apply
from tests.processes import reap
from tests.sqlite.things import Thing

A, A1 = Thing("a"), Thing("a", 1)

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def in_a_child(work: Callable[[], bool]) -> bool:
    """Do something in a copy of this process, which is ended where it does not come back; tell whether it was done."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        done: list[bool] = []
        worker = Thread(target=lambda: done.append(work()), daemon=True)
        worker.start()
        worker.join(30)
        os.write(writing, b"1" if done == [True] else b"0")
        # Whoever ended in order would first write down all that was traced in this process until now.
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    reap(pid)
    with os.fdopen(reading, "rb") as told:
        return told.read() == b"1"


def test_a_child_commits_and_finds_beside_its_parent(path: Path) -> None:
    storage = SqliteStorage(path)
    assert storage.commit((Insert(A),)) is True
    assert storage.find(Thing, "a") == A

    assert in_a_child(lambda: storage.find(Thing, "a") == A and storage.commit((Replace(A, A1),)))

    assert storage.find(Thing, "a") == A1
    assert storage.commit((Replace(A, A1),)) is False
    assert storage.commit((Replace(A1, A),)) is True
    storage.close()


def test_no_file_is_open_while_a_process_is_copied(path: Path) -> None:
    storage = SqliteStorage(path)
    storage.commit((Insert(A),))
    storage.find(Thing, "a")

    # The last connection that closes takes the log along (SQLite, Write-Ahead Logging, section 2).
    assert in_a_child(lambda: not path.with_name(f"{path.name}-wal").exists())

    storage.close()


def test_what_was_queued_before_a_fork_is_written_once(path: Path) -> None:
    storage = SqliteStorage(path)
    waiting = [storage._writer.submit(apply([Step.of(Insert(Thing(str(number))))])) for number in range(50)]

    assert in_a_child(lambda: storage.find(Thing, "49") is not None and not storage.commit((Insert(Thing("0")),)))

    assert [job.result(30) for job in waiting] == [True] * 50
    storage.close()
