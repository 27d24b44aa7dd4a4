"""The fixtures: a server is started when the first test of any worker wants it, and ended when pytest ends.

What a test kills is its own. Redis is each worker's (tests/redis/conftest.py): it starts in a twentieth of a second,
and its tests empty all of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest
import trustme

from tests.servers.mariadb import MariaDb, MariaDbProcess
from tests.servers.mysql import VARIABLE, MySql
from tests.servers.nginx import Nginx
from tests.servers.pgbouncer import PgBouncer, PgBouncerProcess
from tests.servers.postgresql import PostgreSql
from tests.servers.supervisor import OWN, Line, Supervisor, ask

_PORT = pytest.StashKey[int]()
# What a worker is handed by pytest-xdist.
_INPUT = "oauthcore_supervisor"


class Node(Protocol):
    """Be a worker that is about to be started: what there is of pytest-xdist's that is needed of it here."""

    config: pytest.Config
    workerinput: dict[str, Any]


def supervisor_port(config: pytest.Config) -> int:
    """Return where the process is asked that starts servers: the one of all workers, or this process's."""
    if hasattr(config, "workerinput"):
        return int(config.workerinput[_INPUT])
    if _PORT not in config.stash:
        supervisor = Supervisor()
        config.add_cleanup(supervisor.close)
        config.stash[_PORT] = supervisor.port
    return config.stash[_PORT]


@pytest.hookimpl(optionalhook=True)  # there is none without pytest-xdist
def pytest_configure_node(node: Node) -> None:
    """Tell a worker, before it starts, whom to ask."""
    node.workerinput[_INPUT] = supervisor_port(node.config)


@attrs.frozen
class DurablePostgreSql:
    """Be a PostgreSQL server that keeps what it has acknowledged, though it is killed."""

    server: PostgreSql
    _line: Line

    def kill(self) -> None:
        """End it as a power cut would."""
        self._line.say("kill")

    def start(self) -> None:
        """Start it again."""
        self._line.say("start")


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> PostgreSql:
    """Return the PostgreSQL server of all tests, which forgets when it is killed."""
    return PostgreSql(**ask(supervisor_port(pytestconfig), "postgresql"))


@pytest.fixture
def durable_postgresql(pytestconfig: pytest.Config) -> Iterator[DurablePostgreSql]:
    """Return a PostgreSQL server of the test's own, which may be killed."""
    with closing(Line(supervisor_port(pytestconfig))) as line:
        yield DurablePostgreSql(PostgreSql(**line.say(f"{OWN} postgresql")), line)


@pytest.fixture(scope="session")
def pgbouncer(pytestconfig: pytest.Config) -> PgBouncer:
    """Return a PgBouncer before the PostgreSQL server; skips where there is none to start."""
    try:
        PgBouncerProcess.program()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    return PgBouncer(**ask(supervisor_port(pytestconfig), "pgbouncer"))


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config) -> MariaDb | MySql:
    """Return the MariaDB server of all tests, or MySQL where the environment names one; skips where there is none."""
    port = supervisor_port(pytestconfig)
    if VARIABLE in os.environ:
        found = ask(port, "mysql")
        return MySql(found["port"], Path(found["ca_file"]))
    try:
        MariaDbProcess.programs()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    found = ask(port, "mariadb")
    return MariaDb(found["port"], Path(found["ca_file"]))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return an authority that nobody trusts unless told to."""
    return trustme.CA()


@pytest.fixture
def nginx(authority: trustme.CA) -> Iterator[Callable[[int, str], Nginx]]:
    """Return what starts an nginx at a port, by a configuration, for the test; skips where there is none to start."""
    try:
        Nginx.path()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    started: list[Nginx] = []

    def start(port: int, locations: str) -> Nginx:
        started.append(Nginx(authority, locations, port))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return the authority's certificate."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file
