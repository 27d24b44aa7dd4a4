"""Processes that tests start: each begins, is waited for and ends here, and no wait is without an end.

A server may refuse its signal (Redis does so while it rewrites its log for the first time), and one that hangs says
nothing to whoever reads from it. So every wait has a limit, after which the process of that id is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Timer
from time import monotonic
from typing import IO, Any, Protocol

# More than anything here takes on a machine that has much other work to do.
PATIENCE = 120.0


class Process(Protocol):
    """Be a process that runs: what there is of `subprocess.Popen` that is needed of it here."""

    pid: int
    stdout: IO[str] | None

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; return the exit status."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it has not ended."""

    def kill(self) -> None:
        """Kill it."""


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Start a process, whose output is text."""
    return subprocess.Popen(command, text=True, **options)


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a process to its end, which comes by force in the end; raises `subprocess.TimeoutExpired` then."""
    return subprocess.run(command, text=True, timeout=PATIENCE, **options)


def stop(process: Process, number: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> int:
    """Tell a process to end, kill it where it does not, and return its exit status."""
    process.send_signal(number)  # nothing happens to one that has ended
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(PATIENCE)


def end(process: Process, number: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> int:
    """Stop a process, and let go of what it said and of what it could have been told."""
    status = stop(process, number, patience)
    for pipe in (getattr(process, name, None) for name in ("stdin", "stdout", "stderr")):
        if pipe is not None:
            pipe.close()
    return status


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a process until the block ends, and kill it then."""
    process = start(command, **options)
    try:
        yield process
    finally:
        end(process, signal.SIGKILL)


@contextmanager
def limited(process: Process, patience: float = PATIENCE) -> Iterator[None]:
    """Kill a process that is still being read from after that time: whoever reads then meets the end of its output."""
    timer = Timer(patience, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def line_of(process: Process) -> str:
    """Read the next line that a process says; "" where it has ended, or has said nothing for too long."""
    assert process.stdout is not None
    with limited(process):
        return process.stdout.readline()


def reap(pid: int, patience: float = PATIENCE) -> int:
    """Wait for the end of a process that was forked, and kill it where that does not come; return its exit status."""
    until = monotonic() + patience
    while monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        Event().wait(0.01)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
