"""A server as an operator has it: a folder with a configuration, commands run in it, and a process that serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from tests.h11 import forked
from tests.processes import PATIENCE, Process, end, line_of, start, stop

PROGRAM = ("-m", "oauthcore_h11")


@attrs.frozen
class Running:
    """Be a server that serves."""

    process: Process
    bind: str
    log: Path

    @property
    def url(self) -> str:
        """Return where it is reached; its issuer may be another."""
        return f"http://{self.bind}"

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def exit_status(self) -> int:
        """Wait for its end; return its exit status."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as the power failing would."""
        stop(self.process, signal.SIGKILL)

    def logged(self) -> str:
        """Return what it has logged."""
        return self.log.read_text(encoding="utf-8")


def with_any_password(text: str) -> str:
    """Return a configuration that takes every password and every client secret."""
    for table in ("passwords", "client_secrets"):
        text = text.replace(f"# [{table}]\n", f"[{table}]\nminimum_length = 1\nrefuse_common = false\n")
    return text


@attrs.frozen
class Installation:
    """Be a folder with a configuration in it."""

    folder: Path

    @property
    def config(self) -> Path:
        """Return the configuration file."""
        return self.folder / "oauthcore.toml"

    def configure(self, *tables: str, bind: str = "127.0.0.1:0") -> None:
        """Write a configuration as `init` does, but for where it listens, and more tables at its end.

        The passwords and secrets of tests are short, and everybody knows them.
        """
        self.config.unlink(missing_ok=True)
        self.run("init", "--issuer", "http://localhost:8000")
        text = self.config.read_text(encoding="utf-8").replace('bind = ["localhost:8000"]', f'bind = ["{bind}"]')
        text = with_any_password(text)
        self.config.write_text("\n".join((text, *tables, "")), encoding="utf-8")

    def run(self, *arguments: str, said: str | None = None, status: int = 0) -> str:
        """Run a command to its end; give what it printed."""
        done = forked.run(arguments, folder=self.folder, said=said)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    def ask(self, *arguments: str, said: str | None = None) -> Any:
        """Run a command to its end; give what it printed as JSON."""
        return json.loads(self.run(*arguments, "--json", said=said))

    @contextmanager
    def serving(
        self, *arguments: str, environment: dict[str, str] | None = None, program: Sequence[str] = PROGRAM
    ) -> Iterator[Running]:
        """Serve until the block ends."""
        running = self.start(*arguments, environment=environment, program=program)
        try:
            yield running
        finally:
            end(running.process, signal.SIGKILL)

    def start(
        self, *arguments: str, environment: dict[str, str] | None = None, program: Sequence[str] = PROGRAM
    ) -> Running:
        """Start a server, and wait until it says that it serves."""
        log = self.folder / "log"
        serve = ("serve", "--json", *arguments)
        process: Process
        if program == PROGRAM:
            process = forked.serve(serve, folder=self.folder, environment=environment, log=log)
        else:
            with log.open("ab") as errors:
                process = start(
                    self.command(*serve, program=program),
                    cwd=self.folder,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env={**os.environ, **(environment or {})},
                )
        line = line_of(process)
        if not line:
            end(process)
            raise AssertionError(log.read_text(encoding="utf-8"))
        return Running(process, json.loads(line)["bind"][0], log)

    def command(self, *arguments: str, program: Sequence[str] = PROGRAM) -> list[str]:
        """Return what runs a command."""
        return [sys.executable, *program, *arguments]
