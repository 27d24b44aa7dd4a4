"""What a server does over HTTP, whatever its records are kept in: the behaviour of the hosts, over every storage.

Each storage is behind a host that awaits it and behind one that blocks, with threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from inspect import isfunction
from pathlib import Path

import attrs
import pytest

from tests.hosts import test_behaviour
from tests.hosts.hosts import PYTHON, Host
from tests.hosts.visitor import Visitor
from tests.redis.engine import VOLATILE, binaries, running
from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.sql.conftest import make_table

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

globals().update(
    {name: each for name, each in vars(test_behaviour).items() if name.startswith("test_") and isfunction(each)}
)

PORT = ("--port", "{port}")
AWAITING = Host(
    "uvicorn", (PYTHON, "-m", "uvicorn", "--factory", "tests.hosts.stored_site:asgi", *PORT, "--no-access-log")
)
BLOCKING = Host(
    "gunicorn",
    (PYTHON, "-m", "gunicorn", "--threads", "4", "--bind", "127.0.0.1:{port}", "tests.hosts.stored_site:wsgi()"),
)


@attrs.frozen
class Places:
    """Hold the URLs of one empty storage: for who awaits it, and for who blocks."""

    awaited: str
    blocking: str


def server_of(name: str) -> Callable[[pytest.FixtureRequest, ExitStack, Path], Places]:
    """Return what makes an empty database on a server."""

    def places(request: pytest.FixtureRequest, stack: ExitStack, folder: Path) -> Places:
        server: PostgreSql | MariaDb = request.getfixturevalue(name)
        database = server.database()
        blocking, *_, awaited = (server.url(driver, database) for driver in server.drivers)
        make_table(blocking)
        return Places(awaited, blocking)

    return places


def sqlite(request: pytest.FixtureRequest, stack: ExitStack, folder: Path) -> Places:
    """Make a database in a file."""
    found = Places(f"sqlite+aiosqlite:///{folder / 'sql.db'}", f"sqlite:///{folder / 'sql.db'}")
    make_table(found.blocking)
    return found


def file(request: pytest.FixtureRequest, stack: ExitStack, folder: Path) -> Places:
    """Name a file that `oauthcore_sqlite` makes by itself."""
    return Places(f"file:{folder / 'oauthcore.db'}", f"file:{folder / 'oauthcore.db'}")


def valkey(request: pytest.FixtureRequest, stack: ExitStack, folder: Path) -> Places:
    """Start a server."""
    engine = stack.enter_context(running(binaries()["valkey"], folder, *VOLATILE))
    return Places(engine.url, engine.url)


STORAGES = {
    "postgresql": server_of("postgresql"),
    "mariadb": server_of("mariadb"),
    "sqlite": sqlite,
    "oauthcore_sqlite": file,
    "valkey": valkey,
}
TARGETS = [(storage, host) for storage in STORAGES for host in (AWAITING, BLOCKING)]


@pytest.fixture(scope="module", params=TARGETS, ids=[f"{storage}-{host.name}" for storage, host in TARGETS])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a server that runs over a storage."""
    storage, host = request.param
    folder = tmp_path_factory.mktemp(f"{storage}-{host.name}")
    with ExitStack() as stack:
        places = STORAGES[storage](request, stack, folder)
        environment = {"OAUTHCORE_AWAITED": places.awaited, "OAUTHCORE_BLOCKING": places.blocking}
        yield f"http://127.0.0.1:{stack.enter_context(attrs.evolve(host, environment=environment).serving(folder))}"


@pytest.fixture
def visitor(base: str) -> Iterator[Visitor]:
    """Return a browser that has not been there before."""
    with Visitor(base, "") as fresh:
        yield fresh
