"""MySQL, where the environment names its program: no package of Debian 12's has it.

`OAUTHCORE_MYSQLD` is the path of a `mysqld`, or of a script that starts one. The tests for MariaDB then run on it.
"""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from tests.ports import free_port
from tests.servers.certificate import Certificate
from tests.servers.mariadb import MariaDb
from tests.servers.program import Folder, Program, database_name, prepare, unprivileged

VARIABLE = "OAUTHCORE_MYSQLD"
# As accounts are made unless one says otherwise: by `caching_sha2_password`, which no driver knows without being asked.
ACCOUNT = "CREATE USER tester@'127.0.0.1' IDENTIFIED BY 'secret'"


@attrs.frozen
class MySql:
    """Be a MySQL server that runs on a port; `ca_file` is the authority that vouches for its certificate."""

    drivers = MariaDb.drivers
    port: int
    ca_file: Path

    def database(self) -> str:
        """Make an empty database, and give its name."""
        name = database_name()
        self.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, driver: str, database: str) -> str:
        """Return the URL of a database, by that driver."""
        return f"mysql+{driver}://tester:secret@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str) -> None:
        """Execute statements as root."""
        import pymysql

        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            for statement in statements:
                connection.cursor().execute(statement)


class MySqlProcess:
    """Start a MySQL server and stop it; `durable` as an operator has it, and otherwise as fast as it can be."""

    def __init__(self, *, durable: bool = False) -> None:
        self._folder = Folder("mysql")
        data = self._folder.path / "data"
        options = [os.environ[VARIABLE], "--no-defaults", f"--datadir={data}", "--secure-file-priv="]
        prepare([*options, "--initialize-insecure"], self._folder.path)
        certificate, port = Certificate.issued(self._folder), free_port()
        self._program = Program(
            [
                *options,
                "--bind-address=127.0.0.1",
                f"--port={port}",
                f"--socket={self._folder.path / 'socket'}",
                f"--pid-file={self._folder.path / 'pid'}",
                "--mysqlx=OFF",
                f"--innodb-flush-log-at-trx-commit={int(durable)}",
                f"--sync-binlog={int(durable)}",
                "--innodb-buffer-pool-size=64M",
                "--max-connections=400",
                *certificate.options,
            ],
            "ready for connections",
            self._folder.path,
            unprivileged(),
        )
        self._program.start()
        self.server = MySql(port, certificate.ca_file)
        self.server.execute(ACCOUNT, "GRANT ALL ON *.* TO tester@'127.0.0.1'")

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self._program.kill()
        self._folder.remove()
