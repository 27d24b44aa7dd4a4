"""A process that is killed at any moment: what it acknowledged is there, and no commit is there by half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oauthcore_sqlite import SqliteStorage
from tests.processes import limited, running
from tests.sqlite.things import Other, Thing

# Each commit is a Thing and an Other; each is acknowledged by a line once `commit` has said True.
WRITE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from oauthcore.flow.outcome import Insert
from oauthcore_sqlite import SqliteStorage
from tests.sqlite.things import Other, Thing

storage, prefix, numbers = SqliteStorage(sys.argv[1]), sys.argv[2], count()

def write(_):
    for number in numbers:
        key = f"{prefix}-{number}"
        assert storage.commit((Insert(Thing(key)), Insert(Other(key)))) is True
        sys.stdout.write(key + "\\n")
        sys.stdout.flush()

with ThreadPoolExecutor(4) as pool:
    list(pool.map(write, range(4)))
"""


def killed_after(acknowledged: int, path: Path, prefix: str) -> list[str]:
    """Let a process write, and kill it; give what it had acknowledged."""
    command = [sys.executable, "-c", WRITE, str(path), prefix]
    with running(command, stdout=subprocess.PIPE) as process, limited(process):
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [line.strip() for line in lines if line.endswith("\n")]


@pytest.mark.slow
@pytest.mark.untraced
def test_what_was_acknowledged_before_a_kill_is_there_and_nothing_is_there_by_half(path: Path) -> None:
    chance = random.Random(1)
    acknowledged: list[str] = []

    for turn in range(10):
        acknowledged += killed_after(chance.randrange(1, 60), path, str(turn))

    storage = SqliteStorage(path)
    there, others = {thing.key for thing in storage.every(Thing)}, {other.key for other in storage.every(Other)}
    storage.close()
    assert len(acknowledged) >= 10
    assert set(acknowledged) <= there
    assert there == others
