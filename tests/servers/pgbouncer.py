"""PgBouncer in transaction mode, from Debian's package `pgbouncer`, before a PostgreSQL server of the tests."""

from __future__ import annotations

import os
import shutil

from tests.servers.postgresql import PostgreSql
from tests.servers.program import Folder, Program, free_port, unprivileged

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
# Two connections for all clients: what one of them leaves on a connection, another one meets.
_CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
"""


class PgBouncer:
    """Be a PgBouncer that hands the connections of a PostgreSQL server out for one transaction each."""

    def __init__(self, server: PostgreSql) -> None:
        self.port = free_port()
        self._server = server
        self._folder = Folder("pgbouncer")
        configuration = self._folder.path / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(server_port=server.port, port=self.port, folder=self._folder.path)
        )
        users = self._folder.path / "users"
        users.write_text('"postgres" ""\n')
        for path in (configuration, users):
            self._folder.give_away(path)
        self.program = Program([self.path(), str(configuration)], "process up", self._folder.path, unprivileged())
        self.program.start()

    @staticmethod
    def path() -> str:
        """Return where the program is; raises `FileNotFoundError` where there is none."""
        found = shutil.which("pgbouncer", path=_PATH)
        if found is None:
            raise FileNotFoundError("there is no PgBouncer here: apt-get install pgbouncer")
        return found

    def url(self, driver: str, database: str) -> str:
        """Return the URL of a database of the server's, by that driver, without prepared statements."""
        direct = self._server.url(driver, database)
        return f"{direct.replace(str(self._server.port), str(self.port))}?prepared_statements=off"

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self.program.kill()
        self._folder.remove()
