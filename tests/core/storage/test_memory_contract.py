"""Records in memory keep the contract of storage."""

from __future__ import annotations

import pytest

from oauthcore import MemoryStorage
from oauthcore.testing import Clause, StorageUnderTest, Terms, check_storage, clauses


@pytest.mark.parametrize("clause", clauses, ids=str)
def test_it_keeps(clause: Clause) -> None:
    clause.check(MemoryStorage, Terms(contenders=4, rounds=3, examples=5))


@pytest.mark.full
@pytest.mark.slow
def test_it_keeps_all_of_it_at_length() -> None:
    checked = check_storage(lambda: StorageUnderTest(storage := MemoryStorage(), storage))

    assert len(checked.held) == len(clauses) - 3
