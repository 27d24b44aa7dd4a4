"""PostgreSQL killed in the middle of a load and started again: what was acknowledged is there, and nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event, Semaphore

import httpx
import pytest
from sqlalchemy.exc import SQLAlchemyError

from oauthcore.flow.outcome import Insert
from oauthcore_sqlalchemy import SqlAlchemyStorage
from tests.processes import PATIENCE
from tests.redis.test_serving import installation_on
from tests.servers.plugin import DurablePostgreSql
from tests.sql.conftest import make_table
from tests.sql.test_crowd import opened
from tests.sqlite.things import Other, Thing
from tests.storages.crowd import prepare, site_on

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

THREADS = 4
KILLS = 3


@pytest.fixture
def url(durable_postgresql: DurablePostgreSql) -> str:
    """Return where an empty database is, on a server that may be killed."""
    found = durable_postgresql.server.url("psycopg", durable_postgresql.server.database())
    make_table(found)
    return found


class Load:
    """Let threads work, kill the server whenever so much was done, and end them after the last time."""

    def __init__(self, server: DurablePostgreSql) -> None:
        self._server = server
        self.is_over = Event()
        self.done = Semaphore(0)

    def run(self, work: Callable[[int], None], between: int) -> None:
        """Work under kills."""
        with ThreadPoolExecutor(THREADS) as pool:
            working = [pool.submit(work, number) for number in range(THREADS)]
            for _ in range(KILLS):
                for _ in range(between):
                    assert self.done.acquire(timeout=60)
                self._server.kill()
                self._server.start()
            self.is_over.set()
            for each in working:
                each.result(PATIENCE)


@pytest.fixture
def load(durable_postgresql: DurablePostgreSql) -> Iterator[Load]:
    """Return a load on the server."""
    made = Load(durable_postgresql)
    yield made
    made.is_over.set()


def test_what_was_acknowledged_is_there_and_no_commit_is_there_by_half(url: str, load: Load) -> None:
    storage, numbers = opened(url), count()
    acknowledged: list[str] = []
    errors: Counter[str] = Counter()

    def write(_: int) -> None:
        mine = opened(url)
        while not load.is_over.is_set():
            key = str(next(numbers))
            try:
                assert mine.commit((Insert(Thing(key)), Insert(Other(key)))) is True
            except SQLAlchemyError as error:
                errors[type(error).__name__] += 1
            else:
                acknowledged.append(key)
                load.done.release()
        mine.close()

    load.run(write, between=60)

    there, others = {thing.key for thing in storage.every(Thing)}, {other.key for other in storage.every(Other)}
    assert len(acknowledged) >= KILLS * 60
    assert errors, "the server was killed, and nobody noticed"
    assert set(acknowledged) <= there
    assert there == others
    storage.close()


def test_no_code_is_redeemed_twice_though_the_server_is_killed(url: str, load: Load) -> None:
    storages: list[SqlAlchemyStorage] = []

    def opening() -> SqlAlchemyStorage:
        storages.append(opened(url))
        return storages[-1]

    codes, _ = prepare(opening, 200)
    redeemed: Counter[str] = Counter()
    statuses: Counter[int] = Counter()

    def work(number: int) -> None:
        # Two threads want each code.
        site = site_on(opening, number + 1)
        for code in codes[number // 2 :: THREADS // 2]:
            while (answer := site.redeem(code)).status == 503:
                statuses[503] += 1
            statuses[answer.status] += 1
            redeemed[code] += answer.status == 200
            load.done.release()

    load.run(work, between=40)

    assert statuses.keys() == {200, 400, 503}
    assert max(redeemed.values()) == 1
    # Whose answer was lost with the connection finds its code used: one for each thread and kill at most.
    assert statuses[200] >= len(codes) - THREADS * KILLS
    site = site_on(opening, 99)
    assert {site.redeem(code).status for code in codes} == {400}
    for storage in storages:
        storage.close()


def test_the_reference_server_answers_503_meanwhile_and_is_well_again_by_itself(
    durable_postgresql: DurablePostgreSql, url: str, tmp_path: Path
) -> None:
    installation = installation_on(tmp_path, url)
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    form, secret = {"grant_type": "client_credentials"}, ("app", app["client_secret"])

    with installation.serving() as server, httpx.Client(base_url=server.url, trust_env=False, timeout=60) as asking:
        before = asking.post("/token", data=form, auth=secret).status_code
        durable_postgresql.kill()
        meanwhile = {asking.post("/token", data=form, auth=secret).status_code for _ in range(5)}
        ready = asking.get("/readyz").status_code
        durable_postgresql.start()
        after = [asking.post("/token", data=form, auth=secret).status_code for _ in range(5)]

    assert (before, meanwhile, ready) == (200, {503}, 503)
    assert after == [200] * 5


def test_a_storage_goes_on_after_every_connection_was_closed(durable_postgresql: DurablePostgreSql, url: str) -> None:
    storage = SqlAlchemyStorage(opened(url)._bind)
    assert storage.commit((Insert(Thing("a")),)) is True
    durable_postgresql.kill()
    durable_postgresql.start()

    assert storage.find(Thing, "a") == Thing("a")
    assert storage.commit((Insert(Thing("b")),)) is True
    storage.close()
