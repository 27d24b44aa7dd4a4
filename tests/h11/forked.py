"""The command line `oauthcore` in processes of its own that take no time to start.

A test of a server runs three or four commands, and a fresh interpreter takes more than a second for each to import
what the command line does. So one process imports it, once for each pytest (`preloaded.py`), and is forked for each
command. A command is sent as one byte with four descriptors, a socket and the three streams, over the socket that both
have; the rest is JSON, a line on the socket sent. What comes back on it is the process's id, and then its exit status.

What a start itself has to show (tests/h11/test_process.py, test_cli_demo.py, the pages' commands) starts Python.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TextIO

from tests.processes import PATIENCE, end, start

NUMBER = struct.Struct("!q")
PRELOADED = Path(__file__).with_name("preloaded.py")
# How coverage has what a test starts traced: what is forked is traced if its parent was.
TRACING = "COVERAGE_PROCESS_CONFIG"


class Forked:
    """Be a process that was forked, as `subprocess.Popen` is one that was started."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        streams: tuple[int, int, int],
        stdout: TextIO | None = None,
    ) -> None:
        """Run a command, on three descriptors; `stdout` is where its output is read, if it is a pipe's."""
        self.stdout: IO[str] | None = stdout
        self.returncode: int | None = None
        self._socket, there = socket.socketpair()
        with there:
            socket.send_fds(preloaded(os.environ.get(TRACING)), [b"."], [there.fileno(), *streams])
        command = {"arguments": arguments, "folder": str(folder), "environment": {**os.environ, **(environment or {})}}
        self._socket.sendall(json.dumps(command).encode() + b"\n")
        self.pid = self._number(PATIENCE)

    def _number(self, timeout: float | None) -> int:
        """Read the next number that comes back; raises `TimeoutError`."""
        if not select.select([self._socket], [], [], timeout)[0]:
            raise TimeoutError
        number: int = NUMBER.unpack(self._socket.recv(NUMBER.size, socket.MSG_WAITALL))[0]
        return number

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; return the exit status."""
        if self.returncode is None:
            try:
                self.returncode = self._number(timeout)
            except TimeoutError:
                raise subprocess.TimeoutExpired("oauthcore", timeout or 0.0) from None
            self._socket.close()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it as the power failing would."""
        self.send_signal(signal.SIGKILL)


@cache
def preloaded(tracing: str | None) -> socket.socket:
    """Start what is forked; it ends with these tests."""
    here, there = socket.socketpair()
    with there:
        descriptor = there.fileno()
        process = start([sys.executable, "-P", str(PRELOADED), str(descriptor)], pass_fds=[descriptor])

    def hang_up() -> None:
        here.close()
        end(process)

    atexit.register(hang_up)
    return here


def run(arguments: Sequence[str], *, folder: Path, said: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `tests.processes.run` does; `said` is what comes to it through a pipe."""
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        reading, writing = os.pipe()
        command = Forked(arguments, folder=folder, streams=(reading, output.fileno(), errors.fileno()))
        os.close(reading)
        with suppress(BrokenPipeError), os.fdopen(writing, "w", encoding="utf-8") as speaking:
            speaking.write(said or "")  # to one that may have ended without reading it
        try:
            status = command.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            command.kill()
            raise
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, status, output.read(), errors.read())


def serve(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None, log: Path) -> Forked:
    """Start a command that goes on; what it says on standard output comes through a pipe, and the rest into a file."""
    reading, writing = os.pipe()
    with log.open("ab") as errors, open(os.devnull, "rb") as nothing:
        command = Forked(
            arguments,
            folder=folder,
            environment=environment,
            streams=(nothing.fileno(), writing, errors.fileno()),
            stdout=os.fdopen(reading, encoding="utf-8"),
        )
    os.close(writing)
    return command
