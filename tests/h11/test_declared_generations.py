"""Which registration a declared client is: as long as it is declared one and the same, and afterwards another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from oauthcore import Client
from oauthcore.flow.outcome import Change, Insert, R
from oauthcore_h11.declared import WithDeclared
from oauthcore_h11.declared_generations import DeclaredClients, known_generations, settle_generations
from oauthcore_sqlite import SqliteStorage
from tests.h11.test_cli import Shell, shell
from tests.h11.test_users import Awaited

pytestmark = pytest.mark.anyio

__all__ = ["shell"]  # a fixture

APP = Client(client_id="app")


@pytest.fixture
def storage() -> Awaited:
    """Return a storage that no version has used."""
    return Awaited()


async def test_who_is_declared_when_this_is_first_remembered_keeps_what_earlier_versions_gave(storage: Awaited) -> None:
    assert await settle_generations(storage, ["app", "other"]) == {"app": "", "other": ""}
    assert await settle_generations(storage, ["other", "app"]) == {"app": "", "other": ""}


async def test_a_client_that_is_declared_later_has_a_generation_that_is_drawn_once(storage: Awaited) -> None:
    await settle_generations(storage, ["app"])

    first = await settle_generations(storage, ["app", "new", "other"])
    second = await settle_generations(storage, ["app", "new", "other"])

    assert first == second
    assert first["app"] == ""
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", first[name]) for name in ("new", "other"))
    assert first["new"] != first["other"]


async def test_a_client_that_is_declared_anew_is_another_one(storage: Awaited) -> None:
    seen = set()
    for _ in range(3):
        seen.add((await settle_generations(storage, ["app"]))["app"])
        await settle_generations(storage, [])

    assert len(seen) == 3


async def test_a_storage_without_declared_clients_remembers_that_there_are_none(storage: Awaited) -> None:
    await settle_generations(storage, [])

    assert (await settle_generations(storage, ["app"]))["app"] != ""


class Meanwhile(Awaited):
    """Be a storage to which another worker commits first."""

    @override
    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Be second once."""
        if self.inner.find(DeclaredClients, "clients") is None:
            self.inner.commit((Insert(DeclaredClients(client_ids=("app",), generations=("drawn-by-another",))),))
        return await super().commit(changes)


async def test_workers_that_start_together_agree() -> None:
    assert await settle_generations(Meanwhile(), ["app"]) == {"app": "drawn-by-another"}


async def test_who_only_looks_changes_nothing(storage: Awaited) -> None:
    assert await known_generations(storage, ["app"]) == {"app": ""}
    assert storage.inner.find(DeclaredClients, "clients") is None

    await settle_generations(storage, [])
    drawn = await settle_generations(storage, ["app"])

    assert await known_generations(storage, ["app", "new"]) == {**drawn, "new": ""}


class Away(Awaited):
    """Be a storage that is away."""

    away = True

    @override
    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Fail while it is away."""
        if self.away:
            raise OSError("away")
        return await super().find(kind, key)


async def test_no_declared_client_is_found_with_a_guessed_generation_while_the_storage_is_away() -> None:
    storage = Away()
    storage.inner.commit((Insert(DeclaredClients(client_ids=("app",), generations=("g",))),))
    known = WithDeclared(storage, [APP])

    with pytest.raises(OSError, match="away"):
        await known.find(Client, "app")
    storage.away = False
    found = await known.find(Client, "app")

    assert found is not None
    assert found.generation == "g"


async def test_once_it_is_settled_a_declared_client_costs_no_find() -> None:
    storage = Away()
    storage.away = False
    known = WithDeclared(storage, [APP])
    await known.settle()
    storage.away = True

    assert await known.find(Client, "app") == APP


def test_a_command_forgets_no_client_that_is_missing_from_the_file_for_a_moment(shell: Shell, tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "oauthcore.db")
    remembered = DeclaredClients(client_ids=("gone",), generations=("g",))
    storage.commit((Insert(remembered),))

    shell.run("client", "list")
    shell.run("client", "add", "app", "--grant-type", "client_credentials")

    assert storage.find(DeclaredClients, "clients") == remembered
    storage.close()
