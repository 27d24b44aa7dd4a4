"""MySQL, where the environment names its program: no package of Debian 12's has it.

`OAUTHCORE_MYSQLD` is the path of a `mysqld`, or of a script that starts one. The tests for MariaDB then run on it.
"""

from __future__ import annotations

import os
from itertools import count

import pymysql

from tests.servers.mariadb import MariaDb
from tests.servers.program import Folder, Program, free_port, prepare, unprivileged

VARIABLE = "OAUTHCORE_MYSQLD"
# As accounts are made unless one says otherwise: by `caching_sha2_password`, which no driver knows without being asked.
ACCOUNT = "CREATE USER tester@'127.0.0.1' IDENTIFIED BY 'secret'"


class MySql:
    """Be a MySQL server; `durable` as an operator has it, and otherwise as fast as it can be."""

    drivers = MariaDb.drivers

    def __init__(self, *, durable: bool = False) -> None:
        self.port = free_port()
        self._numbers = count(1)
        self._folder = Folder("mysql")
        data = self._folder.path / "data"
        options = [os.environ[VARIABLE], "--no-defaults", f"--datadir={data}", "--secure-file-priv="]
        prepare([*options, "--initialize-insecure"], self._folder.path)
        self.program = Program(
            [
                *options,
                "--bind-address=127.0.0.1",
                f"--port={self.port}",
                f"--socket={self._folder.path / 'socket'}",
                f"--pid-file={self._folder.path / 'pid'}",
                "--mysqlx=OFF",
                f"--innodb-flush-log-at-trx-commit={int(durable)}",
                f"--sync-binlog={int(durable)}",
                "--innodb-buffer-pool-size=64M",
                "--max-connections=200",
            ],
            "ready for connections",
            self._folder.path,
            unprivileged(),
        )
        self.program.start()
        self._ask(ACCOUNT, "GRANT ALL ON *.* TO tester@'127.0.0.1'")

    def database(self) -> str:
        """Make an empty database, and give its name."""
        name = f"test_{next(self._numbers)}"
        self._ask(f"CREATE DATABASE {name}")
        return name

    def url(self, driver: str, database: str) -> str:
        """Return the URL of a database, by that driver."""
        return f"mysql+{driver}://tester:secret@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self.program.kill()
        self._folder.remove()

    def _ask(self, *statements: str) -> None:
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            for statement in statements:
                connection.cursor().execute(statement)
