"""The drivers: the same flow, the same answers, blocking or not."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from oauthcore import AsyncWorld, MemoryStorage, Secret, World, arun, run
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import AuthenticatedUser, Flow, Throttled, authenticate, commit, find, find_of, pure
from oauthcore.flow.outcome import Change, Event, Insert, R, S
from oauthcore.records.grant import Grant

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio."""
    return "asyncio"


@attrs.frozen
class Thing:
    """Be a record."""

    key: str = "a"
    expires_at: int | None = None


class AwaitedStorage:
    """Be a storage whose every answer is awaited."""

    def __init__(self) -> None:
        self.inner = MemoryStorage()

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        return self.inner.find(kind, key)

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Find by subject."""
        return self.inner.find_of(kind, subject)

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return self.inner.commit(changes)

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        return self.inner.purge(expired_before, limit)


class BrokenStorage(MemoryStorage):
    """Be a storage that is not there."""

    def find(self, kind: type[R], key: str, /) -> R | None:  # type: ignore[explicit-override]  # no override in 3.11
        """Fail."""
        raise ConnectionError("the database is gone")


def everything() -> Flow[tuple[bool, Thing | None, Sequence[Grant], AuthenticatedUser | Throttled | None]]:
    """Ask each question once."""
    done = yield from commit((Insert(Thing()),), (Event("token_issued", "c"),))
    found = yield from find(Thing, "a")
    grants = yield from find_of(Grant, "alice")
    user = yield from authenticate("alice", Secret("wonderland"))
    return done, found, grants, user


def known(username: str, password: Secret) -> str | None:
    return "alice" if (username, password.reveal()) == ("alice", "wonderland") else None


async def awaited(username: str, password: Secret) -> str | None:
    return known(username, password)


async def test_both_drivers_give_the_same_result_over_any_storage() -> None:
    nothing: list[Grant] = []
    expected = (True, Thing(), nothing, AuthenticatedUser("alice"))

    assert run(everything(), World(MemoryStorage(), authenticate=known)) == expected
    assert await arun(everything(), World(MemoryStorage(), authenticate=known)) == expected
    assert await arun(everything(), AsyncWorld(MemoryStorage(), authenticate=awaited)) == expected
    assert await arun(everything(), AsyncWorld(AwaitedStorage(), authenticate=known)) == expected


def test_without_an_application_nobody_is_known() -> None:
    assert run(authenticate("alice", Secret("wonderland")), World(MemoryStorage())) is None


async def test_events_are_heard_once_their_commit_is_done_and_not_otherwise() -> None:
    heard: list[Event] = []
    event = Event("token_issued", "c")
    world = World(MemoryStorage(), audit=heard.append)

    assert run(commit((Insert(Thing()),), (event,)), world) is True
    assert await arun(commit((Insert(Thing()),), (event,)), world) is False

    assert heard == [event]


def test_events_without_changes_cost_no_round_trip() -> None:
    heard: list[Event] = []

    class NoCommit(MemoryStorage):
        def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]
            raise AssertionError("asked")

    assert run(commit((), (Event("token_issued", "c"),)), World(NoCommit(), audit=heard.append)) is True
    assert len(heard) == 1


async def test_a_failure_is_raised_where_it_was_asked_with_its_cause() -> None:
    def asking() -> Flow[str]:
        try:
            yield from find(Thing, "a")
        except EffectFailed as error:
            return f"{error} because {error.__cause__}"
        return "found"

    expected = "Find failed: ConnectionError because the database is gone"
    assert run(asking(), World(BrokenStorage())) == expected
    assert await arun(asking(), World(BrokenStorage())) == expected


async def test_a_failure_that_nobody_catches_comes_out_with_the_flows_own_lines() -> None:
    with pytest.raises(EffectFailed) as failure:
        run(find(Thing, "a"), World(BrokenStorage()))

    assert [entry.name for entry in failure.traceback][-1] == "find"
    with pytest.raises(EffectFailed):
        await arun(find(Thing, "a"), AsyncWorld(BrokenStorage()))


async def test_a_flow_may_have_nothing_to_ask() -> None:
    assert run(pure(1), World(MemoryStorage())) == 1
    assert await arun(pure(1), World(MemoryStorage())) == 1


async def test_a_stop_iteration_from_the_outside_is_a_failure_like_any_other() -> None:
    class Stopping(MemoryStorage):
        def find(self, kind: type[R], key: str, /) -> R | None:  # type: ignore[explicit-override]
            raise StopIteration("not a result")

    with pytest.raises(EffectFailed):
        run(find(Thing, "a"), World(Stopping()))
