"""PgBouncer in transaction mode, from Debian's package `pgbouncer`, before a PostgreSQL server of the tests."""

from __future__ import annotations

import os
import shutil

import attrs

from tests.ports import free_port
from tests.servers.postgresql import PostgreSql
from tests.servers.program import Folder, Program, unprivileged

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


@attrs.frozen
class PgBouncer:
    """Be a PgBouncer on a port, which hands the connections of a PostgreSQL server out for one transaction each."""

    port: int

    def url(self, driver: str, database: str) -> str:
        """Return the URL of a database of the server's, by that driver, without prepared statements."""
        return f"{PostgreSql(self.port).url(driver, database)}?prepared_statements=off"


class PgBouncerProcess:
    """Start a PgBouncer before a server, and stop it."""

    def __init__(self, behind: PostgreSql) -> None:
        port = free_port()
        self._folder = Folder("pgbouncer")
        configuration = self._folder.path / "pgbouncer.ini"
        configuration.write_text(_CONFIGURATION.format(server_port=behind.port, port=port, folder=self._folder.path))
        users = self._folder.path / "users"
        users.write_text('"postgres" ""\n')
        for path in (configuration, users):
            self._folder.give_away(path)
        self._program = Program([self.program(), str(configuration)], "process up", self._folder.path, unprivileged())
        self._program.start()
        self.server = PgBouncer(port)

    @staticmethod
    def program() -> str:
        """Return where the program is; raises `FileNotFoundError` where there is none."""
        found = shutil.which("pgbouncer", path=_PATH)
        if found is None:
            raise FileNotFoundError("there is no PgBouncer here: apt-get install pgbouncer")
        return found

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self._program.kill()
        self._folder.remove()
