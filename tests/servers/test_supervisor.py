"""Each server is started once for all workers, and none outlives pytest, however that ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from select import select
from threading import Event
from time import monotonic

import pytest

from tests.processes import PATIENCE, line_of, running
from tests.servers.supervisor import ROOT, Line, Supervisor, ask

SLEEPING = "tests.servers.sleeping"
# Holds a supervisor as pytest does, and ends by whatever the test sends it.
HOLDER = f"""
import signal
from threading import Event
from tests.servers.supervisor import Line, Supervisor, ask

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
supervisor = Supervisor({SLEEPING!r})
line = Line(supervisor.port)  # the second of them ends when this does
print(ask(supervisor.port, "sleeper")["pid"], line.say("own sleeper")["pid"], flush=True)
Event().wait(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that all folders are made in."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def supervisor(temporary: Path) -> Iterator[Supervisor]:
    """Return a supervisor."""
    started = Supervisor(SLEEPING)
    yield started
    started.close()


def until(condition: Callable[[], bool]) -> bool:
    """Wait for something to be so, for a while; tell whether it is."""
    end = monotonic() + PATIENCE
    while not condition() and monotonic() < end:
        Event().wait(0.01)
    return condition()


def ended(pid: int) -> bool:
    """Tell whether a process that is not a child of this one has ended, or waits for its end to be taken note of."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_server_is_started_once_for_all_who_ask_at_once(supervisor: Supervisor) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ask(supervisor.port, "sleeper")["pid"], range(4)))

    assert len(set(found)) == 1


def test_a_server_of_a_tests_own_ends_with_the_connection_and_the_one_of_all_goes_on(supervisor: Supervisor) -> None:
    first, second = Line(supervisor.port), Line(supervisor.port)
    of_all, own, other = (
        line.say(name)["pid"] for line, name in ((first, "sleeper"), (first, "own sleeper"), (second, "own sleeper"))
    )
    assert len({of_all, own, other}) == 3

    first.close()

    assert until(lambda: ended(own))
    assert not ended(of_all) and not ended(other)
    second.close()


def test_a_server_of_a_tests_own_is_killed_and_started_again(supervisor: Supervisor) -> None:
    with closing(Line(supervisor.port)) as line:
        pid = line.say("own sleeper")["pid"]

        line.say("kill")

        assert ended(pid)
        line.say("start")


def test_what_prevents_a_server_from_starting_is_told_to_everybody(supervisor: Supervisor) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"broken: .*there is no disk"):
            ask(supervisor.port, "broken")


def test_its_end_ends_the_servers_and_leaves_no_folder(temporary: Path) -> None:
    supervisor = Supervisor(SLEEPING)
    pid = ask(supervisor.port, "sleeper")["pid"]
    assert list(temporary.iterdir())

    supervisor.close()

    assert ended(pid)
    assert not list(temporary.iterdir())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="what has become of a process is read from /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_pytest_that_is_ended_by_a_signal(temporary: Path, number: signal.Signals) -> None:
    reading, writing = os.pipe()
    with running([sys.executable, "-c", HOLDER], cwd=ROOT, stdout=-1, stderr=writing) as holder:
        os.close(writing)
        pids = [int(pid) for pid in line_of(holder).split()]
        assert len(pids) == 2 and not any(map(ended, pids))

        holder.send_signal(number)

        # The supervisor has inherited it, and it ends when the last who has it does.
        while select([reading], [], [], PATIENCE)[0] and os.read(reading, 1024):
            pass
    os.close(reading)
    assert all(map(ended, pids))
    assert not list(temporary.iterdir())
