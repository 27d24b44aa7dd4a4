"""Records in memory keep the contract of storage."""

from __future__ import annotations

import pytest

from oauthcore import MemoryStorage
from oauthcore.testing import Clause, clauses


@pytest.mark.parametrize("clause", clauses, ids=str)
def test_it_keeps(clause: Clause) -> None:
    clause.check(MemoryStorage)
