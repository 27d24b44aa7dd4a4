"""The fixtures: a server is started when the first test wants it, and stopped when the last test is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.servers.mariadb import MariaDb
from tests.servers.mysql import VARIABLE, MySql
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgresql import PostgreSql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """Return a PostgreSQL server that forgets when it is killed."""
    server = PostgreSql()
    yield server
    server.stop()


@pytest.fixture
def durable_postgresql() -> Iterator[PostgreSql]:
    """Return a PostgreSQL server of the test's own, which may be killed."""
    server = PostgreSql(durable=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pgbouncer(postgresql: PostgreSql) -> Iterator[PgBouncer]:
    """Return a PgBouncer before the PostgreSQL server; skips where there is none to start."""
    try:
        PgBouncer.path()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    server = PgBouncer(postgresql)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb | MySql]:
    """Return a MariaDB server, or MySQL where the environment names one; skips where there is none to start."""
    if VARIABLE not in os.environ:
        try:
            MariaDb.programs()
        except FileNotFoundError as missing:
            pytest.skip(str(missing))
    server = MySql() if VARIABLE in os.environ else MariaDb()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return an authority that nobody trusts unless told to."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return the authority's certificate."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file
