"""Run by `tests.h11.forked` as a file: import the command line once, and fork a process for each command of a test.

What comes over the socket that the first argument names, and goes back, is said there. A child is what a fresh
interpreter would be once it has imported every command: it ends as that does, and with its own signals. Nothing is
imported here that no command imports at its head; what one imports later, its child imports for itself. But the pages'
templates are compiled here, since every server would do it at its start, and what a storage needs is imported here as
soon as a configuration names it: SQLAlchemy and a driver take a second and a half.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from oauthcore_h11 import cli
from oauthcore_pages import Templates

NUMBER = struct.Struct("!q")
# By what is in a configuration.
STORAGES = {
    "postgresql": ("oauthcore_sqlalchemy.address", "oauthcore_sqlalchemy.schema", "psycopg", "asyncpg"),
    "mysql": ("oauthcore_sqlalchemy.address", "oauthcore_sqlalchemy.schema", "pymysql", "aiomysql"),
    "redis": ("oauthcore_redis",),
}


def next_command(control: socket.socket) -> list[str]:
    """Fork whenever a command comes, and return its arguments in the child; there is no return in the parent."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then hang up
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # for the byte that it writes
    signal.set_wakeup_fd(waker.fileno())
    callers: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4_096)
            for pid, status in ended():
                answer(callers.pop(pid), status)
        if control in ready:
            _, (channel, *streams), _, _ = socket.recv_fds(control, 1, 4)
            caller = socket.socket(fileno=channel)
            with caller.makefile() as lines:
                command = json.loads(lines.readline())
            import_storage(Path(command["folder"]) / "oauthcore.toml")
            # A child would look for garbage in all that is here at its end, and copy the memory by that.
            gc.freeze()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                for each in (control, woken, waker, caller, *callers.values()):
                    each.close()
                become(command, streams)
                return list(command["arguments"])
            for descriptor in streams:
                os.close(descriptor)
            callers[pid] = caller
            caller.sendall(NUMBER.pack(pid))


def import_storage(configuration: Path) -> None:
    """Import what the storage needs that a configuration names, if there is any."""
    with suppress(OSError, UnicodeDecodeError):
        text = configuration.read_text(encoding="utf-8")
        for name in (name for name in STORAGES if name in text):
            for module in STORAGES[name]:
                importlib.import_module(module)


def ended() -> Iterator[tuple[int, int]]:
    """Return each child that has ended, and its exit status."""
    with suppress(ChildProcessError):  # no child is left
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            yield pid, os.waitstatus_to_exitcode(status)


def answer(caller: socket.socket, status: int) -> None:
    """Tell an exit status, to whoever still listens."""
    with caller, suppress(OSError):
        caller.sendall(NUMBER.pack(status))


def become(command: dict[str, object], streams: list[int]) -> None:
    """Have the streams, the folder and the environment that a command is to have."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(str(command["folder"]))
    environment = command["environment"]
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)


if __name__ == "__main__":
    for module in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"{cli.__name__}.{module.name}")
    Templates()
    try:
        arguments = next_command(socket.socket(fileno=int(sys.argv[1])))
    except (ValueError, ConnectionError):  # the tests have hung up: nothing came, not even a descriptor
        os._exit(0)
    sys.argv = ["oauthcore", *arguments]
    cli.main(arguments)
