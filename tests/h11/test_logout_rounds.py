"""Rounds of telling clients of logouts: who takes long goes on beside the next round."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from oauthcore import Client
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Insert
from oauthcore.oidc.logout_token import queued
from oauthcore.records.login import DUE, LogoutDelivery
from oauthcore_h11 import application as module
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.configuration.tables import Configuration, OidcTable
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.passwords import Passwords
from oauthcore_h11.service import application_of
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from tests.asgi.test_logouts import ALIVE, DEAD, Network
from tests.core.oidc.test_sessions import session_of

pytestmark = pytest.mark.anyio


@attrs.define
class Provider:
    """Be one worker of a provider, with a storage of its own."""

    application: Application
    storage: SqliteStorage

    def end_session(self, client: Client, number: int) -> None:
        """Have a client to be told."""
        delivery = queued(client, session_of(client.client_id), self.application.server.context())
        assert self.storage.commit([Insert(attrs.evolve(delivery, key=Digest(f"{number:064}")))])

    def waiting(self) -> list[str]:
        """Return which clients have still to be told."""
        return [delivery.client_id for delivery in self.storage.find_of(LogoutDelivery, DUE)]


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr(module, "TELLING_TIME", 0.05)
    settings = Configuration(folder=tmp_path, issuer="https://as.example", token_key=new_token_key(), oidc=OidcTable())
    passwords = Passwords(memory=64, passes=1, at_once=1)
    storage = SqliteStorage(settings.database, synchronous="NORMAL")
    assert storage.commit([Insert(DEAD), Insert(ALIVE)])
    yield Provider(application_of(settings, AsyncSqliteStorage(storage), passwords, Monitoring()), storage)
    storage.close()
    passwords.close()


async def test_client_that_does_not_answer_is_told_beside_the_next_rounds(provider: Provider) -> None:
    network = Network(until=2)
    application = attrs.evolve(provider.application, fetch=network)
    await application.look_after_keys(1_800_000_000)
    provider.end_session(DEAD, 0)
    provider.end_session(DEAD, 1)
    provider.end_session(ALIVE, 2)

    async def until_told(times: int) -> None:
        while network.told.count("https://alive.example/") < times:
            await application.deliver()

    async with asyncio.timeout(20):
        await until_told(1)
        provider.end_session(ALIVE, 3)
        await until_told(2)
        await application.see_deliveries_through()

    assert network.told.count("https://dead.example/") == 1
    assert provider.waiting() == ["rp", "rp"]


async def test_what_keeps_a_client_from_being_told_is_raised_and_the_others_are_told(provider: Provider) -> None:
    network = Network(until=1)
    application = attrs.evolve(provider.application, fetch=network)
    await application.look_after_keys(1_800_000_000)
    provider.end_session(ALIVE, 0)
    failing: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    failing.set_exception(OSError("the disk is gone"))
    application._telling["logout", "rp"] = failing

    with pytest.raises(OSError, match="the disk is gone"):
        await application.see_deliveries_through()
    await application.deliver()
    await application.see_deliveries_through()

    assert network.told == ["https://alive.example/"]
    assert await application.see_deliveries_through() == 0
