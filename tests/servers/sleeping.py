"""The supervisor with a server that only sleeps: what is said of a server's end can then be seen at once."""

from __future__ import annotations

import sys

import attrs

from tests.servers.program import Folder, Program
from tests.servers.supervisor import Servers, main

PROGRAM = "import threading; print('ready', flush=True); threading.Event().wait(600)"


@attrs.frozen
class Sleeper:
    """Be found by the process's id."""

    pid: int


class SleeperProcess:
    """Start it, and stop it; its folder is left to whoever has started it."""

    def __init__(self) -> None:
        self._program = Program([sys.executable, "-c", PROGRAM], "ready", Folder("sleeper").path)
        self._program.start()
        self.server = Sleeper(self._program.pid)

    def kill(self) -> None:
        """Kill it."""
        self._program.kill()

    def start(self) -> None:
        """Start another one."""
        self._program.start()

    def stop(self) -> None:
        """Stop it by a signal that can't be ignored, as SIGQUIT is in what a shell has started in the background."""
        self._program.kill()


def fail(_: Servers) -> SleeperProcess:
    """Start nothing."""
    raise RuntimeError("there is no disk")


if __name__ == "__main__":
    main({"sleeper": lambda _: SleeperProcess(), "own sleeper": lambda _: SleeperProcess(), "broken": fail})
