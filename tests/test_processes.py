"""What tests start ends, whatever it does about that."""

from __future__ import annotations

import os
import signal
import sys
from threading import Event

import pytest

from tests.processes import end, limited, line_of, reap, start

STUBBORN = """
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
threading.Event().wait(60)
"""


def test_a_process_that_ignores_its_signal_is_killed() -> None:
    process = start([sys.executable, "-c", STUBBORN], stdout=-1)
    assert line_of(process) == "ready\n"

    assert end(process, patience=0.1) == -signal.SIGKILL


def test_a_process_that_ends_by_its_signal_is_not_killed() -> None:
    process = start([sys.executable, "-c", "print('ready', flush=True); input()"], stdin=-1, stdout=-1)
    assert line_of(process) == "ready\n"

    assert end(process) == -signal.SIGTERM
    assert process.stdout is not None and process.stdout.closed


def test_who_reads_from_a_process_that_says_nothing_meets_its_end() -> None:
    process = start([sys.executable, "-c", STUBBORN], stdout=-1)
    assert line_of(process) == "ready\n"
    assert process.stdout is not None

    with limited(process, 0.1):
        assert process.stdout.readline() == ""

    assert end(process) == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_that_goes_on_is_killed() -> None:
    pid = os.fork()
    if pid == 0:
        Event().wait(60)
        os._exit(0)

    assert reap(pid, 0.1) == -signal.SIGKILL
