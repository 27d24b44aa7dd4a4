"""Declared records: found beside the stored ones, and changed by nobody but their file."""

from __future__ import annotations

import pytest

from oauthcore import Client
from oauthcore.flow.outcome import Delete, Insert, Replace, Require
from oauthcore.records.grant import Grant
from oauthcore_h11.declared import DeclaredRecord, WithDeclared
from tests.h11.test_users import Awaited
from tests.sqlite.things import grant_of

pytestmark = pytest.mark.anyio

DECLARED = Client(client_id="declared", name="In the file")
STORED = Client(client_id="stored")
CHANGED = Client(client_id="declared", name="Otherwise")


@pytest.fixture
def storage() -> WithDeclared:
    """Return one client declared, one stored."""
    inner = Awaited()
    inner.inner.commit((Insert(STORED), Insert(grant_of("alice", "1"))))
    return WithDeclared(inner, [DECLARED])


async def test_both_are_found(storage: WithDeclared) -> None:
    assert await storage.find(Client, "declared") == DECLARED
    assert await storage.find(Client, "stored") == STORED
    assert await storage.find(Client, "nobody") is None
    assert [grant.key for grant in await storage.find_of(Grant, "alice")] == ["1"]
    assert storage.is_declared(Client, "declared")
    assert not storage.is_declared(Client, "stored")


async def test_what_a_commit_requires_may_be_declared(storage: WithDeclared) -> None:
    thing = Client(client_id="new")

    assert await storage.commit((Require(DECLARED), Insert(thing))) is True
    assert await storage.find(Client, "new") == thing


async def test_declared_record_that_has_changed_fails_the_commit(storage: WithDeclared) -> None:
    assert await storage.commit((Require(CHANGED), Insert(Client(client_id="new")))) is False
    assert await storage.find(Client, "new") is None


async def test_name_of_a_declared_record_is_taken(storage: WithDeclared) -> None:
    assert await storage.commit((Insert(CHANGED),)) is False


@pytest.mark.parametrize("change", [Replace(DECLARED, CHANGED), Delete(DECLARED)])
async def test_declared_record_is_changed_by_nobody(storage: WithDeclared, change: Delete) -> None:
    with pytest.raises(DeclaredRecord, match="Client declared is declared in the configuration"):
        await storage.commit((change,))


async def test_stored_records_are_purged(storage: WithDeclared) -> None:
    assert await storage.purge(2, 10) == 1
