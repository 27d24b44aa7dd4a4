"""Storage that fails on purpose."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import MemoryStorage
from oauthcore.flow.outcome import Insert
from oauthcore.testing import FixedClock, Outage, SeededEntropy, every_outage
from oauthcore.testing.outage import Down


@attrs.frozen
class Thing:
    """Be a record."""

    key: str = "a"
    expires_at: int | None = 0


def test_it_fails_at_the_call_it_was_told_and_at_no_other() -> None:
    storage = Outage(MemoryStorage(), at=1)

    assert storage.find(Thing, "a") is None
    with pytest.raises(Down, match="call 1 failed"):
        storage.commit((Insert(Thing()),))
    assert storage.happened
    assert storage.find(Thing, "a") is None
    assert storage.purge(1, 1) == 0


def test_it_may_fail_once_the_call_was_carried_out() -> None:
    storage = Outage(MemoryStorage(), at=0, after=True)

    with pytest.raises(Down):
        storage.commit((Insert(Thing()),))

    assert storage.find(Thing, "a") == Thing()


def test_every_outage_is_walked_until_none_is_left() -> None:
    met = list[tuple[int, bool]]()

    for storage in every_outage(MemoryStorage):
        try:
            storage.find(Thing, "a")
            storage.commit((Insert(Thing()),))
        except Down:
            met.append((storage.at, storage.after))

    assert met == [(0, False), (0, True), (1, False), (1, True)]


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = FixedClock(5.0)

    assert (clock(), clock()) == (5.0, 5.0)
    clock.advance(2)
    assert clock() == 7.0


def test_entropy_differs_by_call_and_seed_and_never_by_run() -> None:
    one, same, other = SeededEntropy(), SeededEntropy(), SeededEntropy(seed=1)

    first = one(8)

    assert len(first) == 8
    assert first == same(8)
    assert len({first, one(8), other(8)}) == 3
