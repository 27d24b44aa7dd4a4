"""A server program: started with its output read until it says that it is ready, killed, started again, stopped."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import IO
from uuid import uuid4

from tests.processes import PATIENCE, limited, run, start, stop

# Who runs servers that refuse to be run by root.
_NOBODY = "nobody"


def database_name() -> str:
    """Return a name that no other database has: those of all workers are on one server."""
    return f"test_{uuid4().hex}"


def unprivileged() -> str | None:
    """Return who is to run a server, where this process is root's; None for whoever runs it."""
    return _NOBODY if os.geteuid() == 0 else None


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of a server: what it writes for a moment, it writes in a folder of its own.

    A MariaDB server that starts removes what it takes for left behind in the folder of temporary files, so the tables
    of any other that is running there, too.
    """
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TMPDIR": str(folder)}


def prepare(command: Sequence[str], folder: Path) -> None:
    """Run what makes a server's data, as the user who runs it; raises `RuntimeError` with what it wrote."""
    done = run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=unprivileged(),
        cwd=folder,
        env=surroundings(folder),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {' / '.join(done.stdout.splitlines()[:20])}")


class Folder:
    """Be a folder that the server's user may write in, gone at the end."""

    def __init__(self, name: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"oauthcore-{name}-"))
        self.give_away(self.path)

    def give_away(self, path: Path) -> None:
        """Make something in it the server's user's."""
        if (user := unprivileged()) is not None:
            os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)

    def remove(self) -> None:
        """Remove it, with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)


class Program:
    """Run a server, as another user where one is named."""

    def __init__(
        self, command: Sequence[str], ready: str, folder: Path, user: str | None = None, patience: float = PATIENCE
    ) -> None:
        self._command = command
        self._ready = ready
        self._folder = folder
        self._user = user
        self._patience = patience
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and return once it says that it is ready; raises `RuntimeError` with what it said instead."""
        user = self._user
        self._process = start(
            self._command,
            cwd=self._folder,
            env=surroundings(self._folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else (),
        )
        said: list[str] = []
        assert self._process.stdout is not None
        with limited(self._process, self._patience):
            for line in self._process.stdout:
                said.append(line)
                if self._ready in line:
                    # What it says from here on has to be taken from it, or it would wait for somebody to listen.
                    Thread(target=drain, args=(self._process.stdout,), daemon=True).start()
                    return
        self._process.stdout.close()
        self.kill()
        raise RuntimeError("".join(said[-20:]))

    @property
    def pid(self) -> int:
        """Return its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Have it end, and kill it where it refuses to.

        PostgreSQL ends at once by SIGQUIT, without tidying up what is going to be removed.
        """
        self._end(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            stop(self._process, number, self._patience)
            self._process = None


def drain(pipe: IO[str]) -> None:
    """Read on until the process has ended, and let go of the pipe then."""
    with pipe:
        while pipe.readline():
            pass
