"""MariaDB, from Debian's package `mariadb-server`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import attrs

from tests.ports import free_port
from tests.servers.certificate import Certificate
from tests.servers.program import Folder, Program, database_name, prepare, unprivileged

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


@attrs.frozen
class MariaDb:
    """Be a MariaDB server that runs on a port; `ca_file` is the authority that vouches for its certificate."""

    drivers = ("pymysql", "aiomysql", "asyncmy")
    """The first of them is blocking."""
    port: int
    ca_file: Path

    def database(self) -> str:
        """Make an empty database, and give its name."""
        import pymysql  # the supervisor has no use for it, and starts sooner without

        name = database_name()
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return name

    def url(self, driver: str, database: str) -> str:
        """Return the URL of a database, by that driver."""
        return f"mysql+{driver}://root@127.0.0.1:{self.port}/{database}"


class MariaDbProcess:
    """Start a MariaDB server and stop it; `durable` as an operator has it, and otherwise as fast as it can be."""

    def __init__(self, *, durable: bool = False) -> None:
        self._folder = Folder("mariadb")
        data = self._folder.path / "data"
        install, server = self.programs()
        places = ["--no-defaults", f"--datadir={data}"]
        command = [install, *places, "--auth-root-authentication-method=normal", "--skip-test-db"]
        prepare(command, self._folder.path)
        certificate, port = Certificate.issued(self._folder), free_port()
        self._program = Program(
            [
                server,
                *places,
                "--bind-address=127.0.0.1",
                f"--port={port}",
                f"--socket={self._folder.path / 'socket'}",
                f"--pid-file={self._folder.path / 'pid'}",
                f"--innodb-flush-log-at-trx-commit={int(durable)}",
                "--innodb-buffer-pool-size=64M",
                "--max-connections=400",
                *certificate.options,
            ],
            "ready for connections",
            self._folder.path,
            unprivileged(),
        )
        self._program.start()
        self.server = MariaDb(port, certificate.ca_file)

    @staticmethod
    def programs() -> tuple[str, str]:
        """Return the two programs; raises `FileNotFoundError` where there are none."""
        found = [shutil.which(name, path=_PATH) for name in ("mariadb-install-db", "mariadbd")]
        if found[0] is None or found[1] is None:
            raise FileNotFoundError("there is no MariaDB here: apt-get install mariadb-server")
        return found[0], found[1]

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self._program.kill()  # it would tidy up first
        self._folder.remove()
