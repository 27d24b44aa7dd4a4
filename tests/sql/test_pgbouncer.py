"""Behind PgBouncer in transaction mode: each statement may meet another connection than the one before it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from oauthcore.flow.outcome import Insert, Replace
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, SqlAlchemyStorage, address
from tests.h11.test_kill import CONFIGURATION, Caller, Told, signed_in
from tests.redis.test_serving import installation_on
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgresql import PostgreSql
from tests.sql.awaited import Loop
from tests.sql.conftest import make_table
from tests.sqlite.things import Thing

pytestmark = pytest.mark.slow

AT_ONCE = 6
# More than psycopg executes before it prepares a statement, by itself.
TIMES = 12


@pytest.fixture
def database(postgresql: PostgreSql) -> str:
    """Return a database with the table in it."""
    name = postgresql.database()
    make_table(postgresql.url("psycopg", name))
    return name


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_every_login_works_and_every_command(
    pgbouncer: PgBouncer, postgresql: PostgreSql, driver: str, tmp_path: Path
) -> None:
    installation = installation_on(tmp_path, pgbouncer.url(driver, postgresql.database()))
    installation.config.write_text(installation.config.read_text(encoding="utf-8") + CONFIGURATION, encoding="utf-8")
    assert installation.ask("db", "upgrade") == {"revision": "0001"}
    installation.run("user", "add", "alice", said="wonderland\n")

    with installation.serving() as running:
        cookies = signed_in(running)
        caller = Caller(running, cookies, Told())
        redeemed = [caller.redeem(caller.code()) for _ in range(TIMES)]
        caller.close()

        def go_on(tokens: dict[str, Any] | None) -> bool:
            """Refresh what one login gave, again and again, beside the others."""
            assert tokens is not None
            beside = Caller(running, cookies, Told())
            for _ in range(TIMES):
                tokens = beside.refresh(tokens["refresh_token"])
            is_active = beside.is_active(tokens["access_token"])
            beside.close()
            return is_active

        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert all(pool.map(go_on, redeemed, timeout=300))

    assert [row["username"] for row in installation.ask("user", "list")] == ["alice"]


@pytest.mark.parametrize("driver", ["psycopg_async", "asyncpg"])
def test_many_tasks_on_few_connections_each_have_their_own_answers(
    pgbouncer: PgBouncer, database: str, driver: str, loop: Loop
) -> None:
    async def go() -> None:
        storage = AsyncSqlAlchemyStorage(address.engine_for_server(pgbouncer.url(driver, database)), patience=60)

        async def one(number: int) -> None:
            thing = Thing(f"{driver}-{number}")
            assert await storage.commit((Insert(thing),)) is True
            for value in range(1, TIMES):
                changed = Thing(thing.key, value)
                assert await storage.find(Thing, thing.key) == thing
                assert await storage.commit((Replace(thing, changed),)) is True
                thing = changed

        await asyncio.gather(*(one(number) for number in range(AT_ONCE)))
        await storage.close()

    loop.wait(go())


def test_many_threads_on_few_connections_each_have_their_own_answers(pgbouncer: PgBouncer, database: str) -> None:
    storage = SqlAlchemyStorage(address.engine_for_command(pgbouncer.url("psycopg", database)))

    def one(number: int) -> bool:
        thing = Thing(str(number))
        right = [storage.commit((Insert(thing),))]
        for value in range(1, TIMES):
            changed = Thing(thing.key, value)
            right += [storage.find(Thing, thing.key) == thing, storage.commit((Replace(thing, changed),))]
            thing = changed
        return all(right)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert all(pool.map(one, range(AT_ONCE), timeout=300))
    storage.close()
