"""Whether the storage takes writes is found out by writing, one small record at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from oauthcore.flow.outcome import Change, Delete, Replace
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_h11.readiness import KEPT, WRITE_EVERY, Probe, Readiness
from tests.h11.test_users import Awaited

pytestmark = pytest.mark.anyio


class Full(Awaited):
    """Be a storage that finds, counts the commits, and takes none while it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.probes: dict[str, Probe] = {}
        self.is_full = False

    async def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Commit, or fail as a full disk does."""
        self.commits += 1
        await asyncio.sleep(0)
        if self.is_full:
            raise OSError("database or disk is full")
        is_made = await super().commit(changes)
        for change in changes:
            record = change.new if isinstance(change, Replace) else change.record
            if is_made and isinstance(record, Probe):
                self.probes[record.key] = record
        return is_made


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands still."""
    return FixedClock()


@pytest.fixture
def storage() -> Full:
    """Return a storage that has room."""
    return Full()


@pytest.fixture
def readiness(storage: Full, clock: FixedClock) -> Readiness:
    """Return what tries the storage."""
    return Readiness(storage, clock=clock, entropy=SeededEntropy())


async def test_a_storage_that_finds_and_takes_no_writes_is_not_ready(storage: Full, readiness: Readiness) -> None:
    storage.is_full = True

    with pytest.raises(OSError, match="full"):
        await readiness.check()


async def test_a_write_that_was_made_is_believed_for_a_while(
    storage: Full, readiness: Readiness, clock: FixedClock
) -> None:
    await readiness.check()
    storage.is_full = True

    clock.advance(WRITE_EVERY - 1)
    await readiness.check()
    assert storage.commits == 1
    clock.advance(1)

    with pytest.raises(OSError, match="full"):
        await readiness.check()


async def test_a_write_that_failed_is_tried_again_by_whoever_asks_next(storage: Full, readiness: Readiness) -> None:
    storage.is_full = True
    with pytest.raises(OSError, match="full"):
        await readiness.check()

    storage.is_full = False

    await readiness.check()


async def test_a_clock_that_was_set_back_makes_no_write_be_believed_for_longer(
    storage: Full, readiness: Readiness, clock: FixedClock
) -> None:
    await readiness.check()

    clock.advance(-1000)
    await readiness.check()

    assert storage.commits == 2


async def test_one_record_is_written_over_and_over(storage: Full, readiness: Readiness, clock: FixedClock) -> None:
    for _ in range(5):
        await readiness.check()
        clock.advance(WRITE_EVERY)

    (probe,) = storage.probes.values()
    assert probe.expires_at == probe.written_at + KEPT
    assert storage.commits == 5


async def test_a_record_that_was_purged_meanwhile_is_written_anew(
    storage: Full, readiness: Readiness, clock: FixedClock
) -> None:
    await readiness.check()
    storage.inner.commit([Delete(probe) for probe in storage.probes.values()])
    clock.advance(WRITE_EVERY)

    await readiness.check()

    assert len(storage.inner) == 1


async def test_many_who_ask_at_once_cost_one_write(storage: Full, readiness: Readiness) -> None:
    await asyncio.gather(*(readiness.check() for _ in range(50)))

    assert storage.commits == 1


async def test_a_storage_that_loses_what_nobody_else_has_is_not_ready(storage: Full, readiness: Readiness) -> None:
    storage.refusals = 1

    with pytest.raises(RuntimeError, match="with a new key"):
        await readiness.check()
