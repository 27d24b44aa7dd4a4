"""Purging in the background: in batches, with pauses, until the host says that it is the end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import ConfigurationError, MemoryStorage
from oauthcore.flow.storage import Storage
from oauthcore.storage.purging import LINGER, Purging
from oauthcore.testing import Outage
from oauthcore.testing.outage import Down
from tests.core.flow.test_drivers import AwaitedStorage
from tests.core.storage.test_memory import Thing


@attrs.define
class Host:
    """Be a host for so many turns: it is told what happens, and its time passes when it is asked to wait."""

    turns: int
    now: float = LINGER + 10.9
    rests: list[float] = attrs.Factory(list)
    told: list[int | Exception] = attrs.Factory(list)

    def clock(self) -> float:
        """Tell the time."""
        return self.now

    def wait(self, seconds: float) -> bool:
        """Let time pass, and tell whether it is the end."""
        self.now += seconds
        self.rests.append(seconds)
        return len(self.rests) == self.turns

    async def awaited(self, seconds: float) -> bool:
        """Do the same where it is awaited."""
        return self.wait(seconds)

    def purging(self) -> Purging:
        """Return what purges here."""
        return Purging(clock=self.clock, report=self.told.append, every=60, pause=0.25, batch=3)


def blocking(host: Host, storage: Storage) -> None:
    host.purging().run(storage, host.wait)


def awaiting(host: Host, storage: Storage) -> None:
    asyncio.run(host.purging().arun(storage, host.awaited))


def awaiting_both(host: Host, storage: Storage) -> None:
    awaited = AwaitedStorage()
    awaited.inner = storage  # type: ignore[assignment]  # it asks of it what any storage gives
    asyncio.run(host.purging().arun(awaited, host.awaited))


@pytest.fixture(params=[blocking, awaiting, awaiting_both])
def purge(request: pytest.FixtureRequest) -> Callable[[Host, Storage], None]:
    """Return each way to purge."""
    way: Callable[[Host, Storage], None] = request.param
    return way


def expired(count: int, at: int = 1) -> Iterable[Thing]:
    return [Thing(f"{at} {number}", expires_at=at) for number in range(count)]


def test_what_has_expired_goes_in_batches_with_a_pause_after_each_full_one(
    purge: Callable[[Host, Storage], None],
) -> None:
    host, storage = Host(turns=4), MemoryStorage([*expired(7), Thing("stays")])

    purge(host, storage)

    assert host.told == [3, 3, 1, 0]
    assert host.rests == [0.25, 0.25, 60, 60]
    assert len(storage) == 1


def test_what_expires_meanwhile_goes_at_the_next_turn_and_no_second_before(
    purge: Callable[[Host, Storage], None],
) -> None:
    host, storage = Host(turns=3), MemoryStorage([Thing("now", expires_at=10), Thing("later", expires_at=70)])

    purge(host, storage)

    assert host.told == [0, 1, 1]


def test_a_record_stays_for_a_worker_whose_clock_is_five_minutes_behind(
    purge: Callable[[Host, Storage], None],
) -> None:
    """An assertion, say, that was used: there it could be used once more."""
    host, storage = Host(turns=1, now=1_000 + 300), MemoryStorage([Thing("used", expires_at=1_000)])

    purge(host, storage)

    assert host.told == [0]
    assert len(storage) == 1


def test_a_storage_that_fails_is_asked_again_later(purge: Callable[[Host, Storage], None]) -> None:
    host, storage = Host(turns=3), Outage(MemoryStorage(expired(5)), at=1)

    purge(host, storage)

    first, failure, last = host.told
    assert (first, type(failure), last) == (3, Down, 2)
    assert host.rests == [0.25, 60, 60]


def test_workers_at_the_same_storage_share_the_work() -> None:
    storage = MemoryStorage(expired(10))
    one, other = Host(turns=3), Host(turns=3)

    async def both() -> None:
        async def turn(host: Host, seconds: float) -> bool:
            await asyncio.sleep(0)
            return host.wait(seconds)

        await asyncio.gather(*(host.purging().arun(storage, partial(turn, host)) for host in (one, other)))

    asyncio.run(both())

    assert (one.told, other.told) == ([3, 3, 0], [3, 1, 0])


def test_the_end_of_the_task_is_the_end_of_it() -> None:
    host, storage = Host(turns=2), MemoryStorage(expired(2))

    async def never(seconds: float) -> bool:
        return await asyncio.Event().wait()

    async def cancelled() -> None:
        task = asyncio.create_task(host.purging().arun(storage, never))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())

    assert host.told == [2]


@pytest.mark.parametrize("setting", ["every", "pause", "batch"])
def test_nothing_that_would_never_rest_or_never_remove_is_taken(setting: str) -> None:
    wrong: dict[str, Any] = {setting: 0}

    with pytest.raises(ConfigurationError, match=f"{setting} = 0: use a number above 0"):
        attrs.evolve(Host(1).purging(), **wrong)


def shown(name: str, **given: object) -> dict[str, Any]:
    """Run an example of docs/storage.md, and give what it made."""
    page = (Path(__file__).parents[3] / "docs" / "storage.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- example: {name} -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    exec(found[1], given)  # the page's own code
    return given


def test_the_pages_thread_purges_until_it_is_told_to_end() -> None:
    storage = MemoryStorage([*expired(7), Thing("stays")])

    made = shown("purging in a thread", storage=storage)
    made["end"].set()
    made["thread"].join(30)

    assert not made["thread"].is_alive()
    assert len(storage) == 1


def test_the_pages_task_lives_as_long_as_its_application() -> None:
    storage = MemoryStorage([*expired(7), Thing("stays")])
    lifespan = shown("purging in a task", storage=storage)["lifespan"]

    async def live() -> None:
        async with lifespan(object()):
            await asyncio.sleep(0)
            assert len(storage) == 1

        assert len(asyncio.all_tasks()) == 1

    asyncio.run(live())
