"""Partitions of one file: several issuers share it, and neither finds what is the other's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from oauthcore import ConfigurationError
from oauthcore.flow.outcome import Insert
from oauthcore.records.kinds import kind_name
from oauthcore.records.record import Record
from oauthcore.records.token import AccessToken
from oauthcore.testing.samples import sample
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from tests.storages.partitions import check_apart, check_listed_apart

A, B = "tenant-a", "tenant-b"


@pytest.fixture
def storages(tmp_path: Path) -> Iterator[dict[str, SqliteStorage]]:
    opened = {name: SqliteStorage(tmp_path / "one.db", synchronous="NORMAL", partition=name) for name in ("", A, B)}
    yield opened
    for storage in opened.values():
        storage.close()


@pytest.mark.parametrize(("one", "other"), [(A, B), ("", A), (A, "")])
def test_partitions_of_one_file_see_nothing_of_each_other(
    storages: dict[str, SqliteStorage], one: str, other: str
) -> None:
    check_apart(storages[one], storages[other])


def test_a_list_is_of_one_partition_and_a_purge_of_all(storages: dict[str, SqliteStorage]) -> None:
    check_listed_apart(storages[A], storages[B], lambda storage, kind: storage.every(kind))


def test_an_async_storage_keeps_to_the_partition_of_the_one_it_awaits(storages: dict[str, SqliteStorage]) -> None:
    token = sample(AccessToken, "key", expires_at=1_000)

    async def walked() -> list[AccessToken | None]:
        assert await AsyncSqliteStorage(storages[A]).commit((Insert(token),))
        return [await AsyncSqliteStorage(storage).find(AccessToken, "key") for storage in storages.values()]

    assert asyncio.run(walked()) == [None, token, None]


@pytest.mark.parametrize("name", ["A", "a/b", "-a", "a b", "ä", "a" * 31, "a\n"])
def test_what_is_no_name_of_a_partition_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="partition"):
        SqliteStorage(tmp_path / "one.db", partition=name)


def test_a_kind_whose_name_has_no_room_beside_that_of_a_partition_is_refused() -> None:
    kind = attrs.frozen(type("K" * 40, (Record,), {}))

    assert kind_name(kind) == "K" * 40
    with pytest.raises(ConfigurationError, match="shorter name"):
        kind_name(kind, "a" * 30)
