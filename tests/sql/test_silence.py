"""A server that says nothing any more, as one without power does: requests end, and so does the silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from oauthcore.flow.outcome import Insert
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, address, async_engine_of, engine_of
from tests.servers.wire import Wire
from tests.sql.awaited import Loop
from tests.sqlite.things import Thing

A, B = Thing("a"), Thing("b")

PATIENCE = 0.2
# psycopg asks the silent server to cancel, and waits for ten seconds until it gives up.
PAIRS = ["postgresql+asyncpg", "mariadb+aiomysql", "mariadb+asyncmy"]


@pytest.fixture
def wire(url: str) -> Iterator[Wire]:
    """Return a wire to the database."""
    laid = Wire(make_url(url).port or 0)
    yield laid
    laid.close()


@pytest.mark.slow
@pytest.mark.parametrize("pair", [*PAIRS, "postgresql+psycopg_async"])
def test_who_asks_a_silent_server_is_answered_in_time_and_all_is_well_when_it_speaks(
    url: str, wire: Wire, loop: Loop
) -> None:
    async def go() -> None:
        engine = async_engine_of(make_url(url).set(port=wire.port), pool_size=2, max_overflow=0)
        storage = AsyncSqlAlchemyStorage(engine, patience=PATIENCE)
        assert await storage.commit((Insert(A),)) is True

        wire.is_silent = True
        with pytest.raises(TimeoutError):
            await storage.find(Thing, "a")
        with pytest.raises(TimeoutError):
            await storage.commit((Insert(B),))
        with pytest.raises(TimeoutError):
            await storage.find(Thing, "a")

        wire.is_silent = False
        patient = AsyncSqlAlchemyStorage(engine)
        assert await asyncio.gather(*[patient.find(Thing, "a") for _ in range(4)]) == [A] * 4
        assert await patient.find(Thing, "b") is None
        assert await patient.commit((Insert(B),)) is True
        await storage.close()

    loop.wait(go())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://h/d", {"connect_timeout": 5}),
        ("postgresql+asyncpg://h/d", {"timeout": 5}),
        ("mysql://h/d", {"connect_timeout": 5}),
        ("mysql+asyncmy://h/d", {"connect_timeout": 5}),
        ("postgresql://h/d?connect_timeout=30", {"connect_timeout": 30}),
    ],
)
def test_a_server_does_not_try_to_connect_for_ever(
    url: str, expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = address.engine_for_server(url)
    asked: list[dict[str, object]] = []

    def connect(*_: object, **settings: object) -> None:
        asked.append(settings)
        raise ConnectionRefusedError

    monkeypatch.setattr(engine.dialect, "connect", connect)

    async def go() -> None:
        async with engine.connect():
            pass

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(go())
    assert expected.items() <= asked[0].items()


def test_an_engine_takes_settings_beside_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of("mysql+pymysql://h/d", connect_args={"connect_timeout": 3})
    asked: list[dict[str, object]] = []

    def connect(*_: object, **settings: object) -> None:
        asked.append(settings)
        raise ConnectionRefusedError

    monkeypatch.setattr(engine.dialect, "connect", connect)

    with pytest.raises(ConnectionRefusedError):
        engine.connect()
    assert asked[0]["connect_timeout"] == 3
    assert "READ COMMITTED" in str(asked[0]["init_command"])
