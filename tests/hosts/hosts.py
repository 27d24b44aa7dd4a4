"""The hosts: how each is started, on a free port of the loopback interface, and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import attrs

from tests.ports import free_port
from tests.processes import PATIENCE, end, run, start

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"
PYTHON = sys.executable


@attrs.frozen
class Host:
    """Say how a host is started: `{port}` stands for where it listens. `prefixes` are the servers in it."""

    name: str
    command: tuple[str, ...]
    prefixes: tuple[str, ...] = ("", "/tenant", "/auth", "/tls")
    folder: Path = ROOT
    prepare: tuple[str, ...] = ()
    environment: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    @contextmanager
    def serving(self, place: Path) -> Iterator[int]:
        """Serve, with what it writes in a folder; give the port."""
        # Absolute, since what is started has another working directory; where there is no tree, it is installed.
        paths = [str(self.folder), str(ROOT), str(ROOT / "adapters")]
        environment = os.environ | self.environment | {"PYTHONPATH": os.pathsep.join(paths)}
        port = free_port()
        if self.prepare:
            run(self.prepare, cwd=place, env=environment, check=True)
        log = place / "log"
        with log.open("wb") as output:
            command = [part.format(port=port) for part in self.command]
            process = start(command, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            await_port(port, process, log)
            yield port
        finally:
            end(process)


def await_port(port: int, process: subprocess.Popen[str], log: Path) -> None:
    """Wait until a process listens; fail with what it said if it ends instead."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            Event().wait(0.02)
        else:
            return
    raise AssertionError(log.read_text())


def uvicorn(target: str) -> tuple[str, ...]:
    """Return the command for an ASGI application under uvicorn."""
    return (PYTHON, "-m", "uvicorn", target, "--port", "{port}", "--no-access-log", "--timeout-keep-alive", "60")


def hypercorn(target: str) -> tuple[str, ...]:
    """Return the command for an ASGI application under hypercorn."""
    return (PYTHON, "-m", "hypercorn", target, "--bind", "127.0.0.1:{port}")


def granian(target: str) -> tuple[str, ...]:
    """Return the command for an ASGI application under granian."""
    return (PYTHON, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", target)


def gunicorn(target: str) -> tuple[str, ...]:
    """Return the command for a WSGI application under gunicorn."""
    return (PYTHON, "-m", "gunicorn", "--threads", "4", "--bind", "127.0.0.1:{port}", target)


def waitress(target: str) -> tuple[str, ...]:
    """Return the command for a WSGI application under waitress."""
    return (PYTHON, "-m", "waitress", "--listen=127.0.0.1:{port}", target)


def example(name: str, command: tuple[str, ...], prepare: tuple[str, ...] = ()) -> Host:
    """Return one of the documents' examples."""
    return Host(name, command, ("/auth",), EXAMPLES, prepare)


BARE = (
    Host("h11", (PYTHON, "-m", "tests.hosts.h11_host", "{port}")),
    Host("uvicorn", uvicorn("tests.hosts.site:asgi")),
    Host("hypercorn", hypercorn("tests.hosts.site:asgi")),
    Host("granian", granian("tests.hosts.site:asgi")),
    Host("gunicorn", gunicorn("tests.hosts.site:wsgi")),
    Host("waitress", waitress("tests.hosts.site:wsgi")),
)
# What the h11 server makes of the examples' configuration.
REFERENCE = Host("h11-example", (PYTHON, "-m", "tests.hosts.h11_host", "{port}", "example"), ("/auth",))
DJANGO = (PYTHON, "-m", "tests.hosts.django_host")
AIOHTTP = "from aiohttp_app import app, web; web.run_app(app, host='127.0.0.1', port={port})"
FRAMEWORKS = (
    example("fastapi", uvicorn("fastapi_app:app")),
    example("starlette", uvicorn("starlette_app:app")),
    example("litestar", granian("litestar_app:app")),
    example("quart", hypercorn("quart_app:app")),
    example("aiohttp", (PYTHON, "-c", AIOHTTP)),
    example("flask", gunicorn("flask_app:app")),
    example("bottle", waitress("bottle_app:app")),
    example("django-wsgi", gunicorn("tests.hosts.django_host:wsgi_app"), prepare=DJANGO),
    example("django-asgi", uvicorn("tests.hosts.django_host:asgi_app"), prepare=DJANGO),
)
