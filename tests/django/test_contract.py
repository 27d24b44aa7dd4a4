"""The storage on Django's database keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import current_thread, main_thread
from typing import TypeVar

import pytest
from django.core.management import call_command
from django.db import connections

from oauthcore.flow.outcome import Change, R
from oauthcore.testing import Clause, StorageUnderTest, Terms, clauses
from oauthcore_django.storage import DjangoStorage

pytestmark = pytest.mark.slow

T = TypeVar("T")


class Tidy(DjangoStorage):
    """Close a thread's connections after each call, as Django does after each request."""

    def find(self, kind: type[R], key: str, /) -> R | None:  # type: ignore[explicit-override]  # none in 3.11
        return tidied(lambda: super(Tidy, self).find(kind, key))

    def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        return tidied(lambda: super(Tidy, self).commit(changes))

    def purge(self, expired_before: int, limit: int, /) -> int:  # type: ignore[explicit-override]  # none in 3.11
        return tidied(lambda: super(Tidy, self).purge(expired_before, limit))


def tidied(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        if current_thread() is not main_thread():
            connections.close_all()


def fresh() -> StorageUnderTest:
    call_command("flush", verbosity=0, interactive=False)
    return StorageUnderTest(Tidy(), Tidy())


@pytest.mark.parametrize("clause", clauses, ids=str)
def test_it_keeps(clause: Clause) -> None:
    clause.check(fresh, Terms(contenders=4, rounds=3, examples=5))
