"""What a server does over HTTP, whatever its records are kept in: what hosts answer by it, over every storage.

Each storage is behind a host that awaits it and behind one that blocks, with threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
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

# What is answered by what is stored; what is refused before anything is looked for is the same over each.
STORED = (
    test_behaviour.test_quick_start_is_walked_from_the_first_click_to_the_refresh,
    test_behaviour.test_whoever_offers_openid_connect_gives_id_tokens_and_tells_who_it_is,
    test_behaviour.test_whoever_is_signed_in_and_has_allowed_it_is_not_asked_again,
    test_behaviour.test_public_client_proves_itself_by_its_verifier,
    test_behaviour.test_lost_answer_to_a_refresh_is_given_again,
    test_behaviour.test_spent_refresh_token_ends_the_grant,
    test_behaviour.test_replayed_code_ends_what_it_gave,
    test_behaviour.test_one_code_is_redeemed_once_by_a_crowd,
    test_behaviour.test_revoked_token_opens_nothing,
    test_behaviour.test_token_is_described_to_its_client_while_it_lives,
    test_behaviour.test_person_who_says_no_is_believed,
    test_behaviour.test_unknown_client_is_told_on_a_page,
    test_behaviour.test_answer_in_another_browser_leads_nowhere,
    test_behaviour.test_bad_token_is_an_invalid_token,
)
globals().update({test.__name__: test for test in STORED})

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
