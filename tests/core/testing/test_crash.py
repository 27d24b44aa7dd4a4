"""A flow that is stopped at each of its effects: what is left is checked, counted, told, and had again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oauthcore import Client, Response
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import Flow, commit, find
from oauthcore.flow.outcome import Delete, Insert
from oauthcore.testing import Crash, CrashFailed, CrashPoints, Factory, Point, crash_points
from tests.core.flow.test_storage_failures import FLOWS, to_refresh
from tests.core.site import Site, make_site, members
from tests.core.testing.storages import Sound, SoundOnThreads

ONE, TWO = Client(client_id="one"), Client(client_id="two")


def begin(drive: Callable[[Flow[object]], object]) -> None:
    """Have one record."""
    assert drive(commit((Insert(ONE),)))


def move_in_one(_: None) -> Flow[bool]:
    """Take the one away and put the other there, at once."""
    found = yield from find(Client, "one")
    assert found is not None
    return (yield from commit((Delete(found), Insert(TWO))))


def move_in_two(_: None) -> Flow[bool]:
    """Take the one away, and then put the other there."""
    found = yield from find(Client, "one")
    assert found is not None
    done = yield from commit((Delete(found),))
    return done and (yield from commit((Insert(TWO),)))


def one_is_there(crash: Crash[bool | None]) -> None:
    there = [crash.drive(find(Client, name)) is not None for name in ("one", "two")]
    assert sum(there) == 1, f"there is {there}"


def raised(flow: Callable[[None], Flow[bool]]) -> Callable[[None], Flow[bool | None]]:
    """Return what a flow gives, or None where it can't."""

    def guarded(prepared: None) -> Flow[bool | None]:
        try:
            return (yield from flow(prepared))
        except EffectFailed:
            return None

    return guarded


@pytest.mark.parametrize("storage", [Sound, SoundOnThreads])
def test_one_commit_leaves_all_or_nothing_wherever_it_is_stopped(storage: Factory) -> None:
    points = crash_points(raised(move_in_one), prepare=begin, check=one_is_there, storage=storage)

    # A find and a commit; each before and after; each ending the process, or failing.
    assert points == CrashPoints(effects=2, points=8)


def test_two_commits_are_found_out_and_the_story_is_told() -> None:
    with pytest.raises(CrashFailed) as failure:
        crash_points(raised(move_in_two), prepare=begin, check=one_is_there)

    message = str(failure.value)
    assert "  find Client one -> Client one #" in message
    assert "-> the process ends here; it was done, and gave True\n" in message
    assert "with: there is [False, False]" in message
    assert message.endswith(f"replay it with point={failure.value.point!r}")
    assert failure.value.point == Point(1, "after", "ends")


def test_a_failing_point_can_be_had_again_alone() -> None:
    with pytest.raises(CrashFailed, match="replay it with"):
        crash_points(raised(move_in_two), prepare=begin, check=one_is_there, point=Point(1, "after", "ends"))

    once = crash_points(raised(move_in_two), prepare=begin, check=one_is_there, point=Point(0, "after", "ends"))

    assert once.points == 1


def test_a_point_that_the_flow_does_not_come_to_is_told_as_that() -> None:
    with pytest.raises(ValueError, match="the flow ends before effect 2, counted from 0"):
        crash_points(raised(move_in_one), prepare=begin, check=one_is_there, point=Point(2, "after", "ends"))


def test_a_flow_that_gives_no_response_when_a_call_fails_is_told() -> None:
    with pytest.raises(CrashFailed, match="the flow fails after this:") as failure:
        crash_points(move_in_one, prepare=begin, check=one_is_there)

    assert failure.value.point == Point(0, "before", "fails")
    assert "with: EffectFailed: Find failed: on purpose\n" in str(failure.value)


def test_what_the_flow_still_gave_is_told() -> None:
    def nothing(crash: Crash[bool | None]) -> None:
        assert crash.point.mishap == "ends", "it goes on"

    with pytest.raises(CrashFailed, match="  the flow gives None\nwith: it goes on"):
        crash_points(raised(move_in_one), prepare=begin, check=nothing)


def test_a_flow_whose_process_ends_gives_nothing_and_one_whose_call_fails_does() -> None:
    results: dict[Point, object] = {}

    def note(crash: Crash[bool | None]) -> None:
        results[crash.point] = crash.result

    crash_points(raised(move_in_one), prepare=begin, check=note)

    assert {point: result for point, result in results.items() if point.at == 1} == {
        Point(1, moment, mishap): None for moment in ("before", "after") for mishap in ("ends", "fails")
    }


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_whatever_stops_a_request_leaves_all_or_nothing(name: str, kept: Factory) -> None:
    def prepare(drive: Callable[[Flow[object]], object]) -> Callable[[], Flow[Response]]:
        return FLOWS[name](make_site(lambda flow, world: drive(flow)))

    def check(crash: Crash[Response]) -> None:
        if crash.point.mishap == "fails":
            assert crash.result is not None
            assert crash.result.status == 503
        answered = crash.drive(crash.prepared())
        assert answered.status < 500

    points = crash_points(lambda begin: begin(), prepare=prepare, check=check, storage=kept)

    assert points.points == 4 * points.effects
    assert points.effects >= 2


def test_a_client_that_refreshes_again_gets_its_tokens_whatever_stopped_it(kept: Factory) -> None:
    sites: list[Site] = []

    def prepare(drive: Callable[[Flow[object]], object]) -> Callable[[], Flow[Response]]:
        sites.append(make_site(lambda flow, world: drive(flow)))
        return to_refresh(sites[-1])

    def check(crash: Crash[Response]) -> None:
        again = crash.drive(crash.prepared())
        assert again.status == 200
        assert sites[-1].is_active(members(again)["access_token"])

    crash_points(lambda begin: begin(), prepare=prepare, check=check, storage=kept)
