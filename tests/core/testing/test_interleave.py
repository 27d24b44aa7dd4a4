"""The scheduler finds what it is for, misses no order, and tells a story that can be played again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import comb, factorial

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import MemoryStorage, Secret, World
from oauthcore.flow.effects import Authenticate, AuthenticatedUser, Flow, authenticate, commit, find, find_of
from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.testing import Factory, Run, Scene, ScheduleFailed, explore, interleave, replay
from oauthcore.testing.interleave import Drive
from tests.core.testing.storages import Sound


@attrs.frozen
class Coin:
    """Be something that can be spent once."""

    key: str = "coin"
    spent: bool = False
    expires_at: int | None = None


def spend_in_two_steps() -> Flow[bool]:
    """Look, then leap: the mistake of every peer. The precondition is on a fact that is found anew."""
    coin = yield from find(Coin, "coin")
    if coin is None or coin.spent:
        return False
    stored = yield from find(Coin, "coin")
    assert stored is not None
    return (yield from commit((Replace(stored, Coin(spent=True)),)))


def spend_in_one_step() -> Flow[bool]:
    """Spend on the condition that the coin is as it was found."""
    coin = yield from find(Coin, "coin")
    if coin is None or coin.spent:
        return False
    return (yield from commit((Replace(coin, Coin(spent=True)),)))


def touch(times: int) -> Flow[int]:
    """Commit to one record a number of times, and never succeed."""
    done = 0
    for _ in range(times):
        done += yield from commit((Insert(Coin()),))
    return done


def make(name: str, times: int) -> Flow[int]:
    """Make records that nobody else knows of."""
    done = 0
    for number in range(times):
        done += yield from commit((Insert(Coin(f"{name}{number}")),))
    return done


def look(times: int) -> Flow[int]:
    """Find a number of times."""
    for _ in range(times):
        coin = yield from find(Coin, "coin")
        assert coin is not None
    return times


def spent_once(run: Run[bool]) -> None:
    assert sum(run.results) == 1


def scene_of(*flows: Flow[bool]) -> Scene[bool]:
    return Scene(World(MemoryStorage([Coin()])), flows)


def test_a_single_use_that_is_a_sequence_is_found_out() -> None:
    with pytest.raises(ScheduleFailed) as failure:
        explore(lambda: scene_of(spend_in_two_steps(), spend_in_two_steps()), spent_once)

    assert "flow 0: find Coin coin -> Coin" in str(failure.value)
    assert "\n  flow 1 gives True\n" in str(failure.value)
    assert str(failure.value).endswith(f"replay it with schedule={failure.value.schedule!r}")


def test_a_single_use_that_is_a_precondition_holds_in_every_schedule() -> None:
    result = explore(lambda: scene_of(spend_in_one_step(), spend_in_one_step()), spent_once)

    # One after the other, twice; and both looking before either leaps, twice: there the two looks may be swapped.
    assert result.schedules == 4
    assert result.orders == 6


def test_a_failing_schedule_can_be_played_again() -> None:
    def scene() -> Scene[bool]:
        return scene_of(spend_in_two_steps(), spend_in_two_steps())

    with pytest.raises(ScheduleFailed) as failure:
        explore(scene, spent_once)

    again = replay(scene, failure.value.schedule)

    assert again.schedule == failure.value.schedule
    assert sum(again.results) != 1


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 3), (4, 4)])
def test_flows_that_commit_to_one_record_are_run_in_every_order_there_is(first: int, second: int) -> None:
    schedules = set[tuple[int, ...]]()

    result = explore(
        lambda: Scene(World(MemoryStorage([Coin()])), [touch(first), touch(second)]),
        lambda run: schedules.add(run.schedule),
    )

    assert result.schedules == result.orders == len(schedules) == comb(first + second, first)


def test_finds_that_commute_are_run_in_one_order_that_stands_for_all() -> None:
    result = explore(lambda: Scene(World(MemoryStorage([Coin()])), [look(2), look(2), look(2)]), lambda run: None)

    assert result.schedules == 1
    assert result.orders == factorial(6) // 8


def test_commits_to_different_records_are_run_in_one_order_that_stands_for_all() -> None:
    result = explore(lambda: Scene(World(MemoryStorage()), [make("a", 2), make("b", 3)]), lambda run: None)

    assert result.schedules == 1
    assert result.orders == comb(5, 2)


def test_what_is_asked_of_the_world_beside_the_storage_is_asked_in_every_order() -> None:
    def ask(person: str) -> Flow[object]:
        return (yield from authenticate(person, Secret("wonderland")))

    def look_and_make(name: str) -> Flow[int]:
        yield from look(1)
        return (yield from make(name, 1))

    result = explore(
        lambda: Scene[object](World(MemoryStorage([Coin()])), [ask("a"), ask("b"), look_and_make("c")]),
        lambda run: None,
    )

    assert result.orders == factorial(4) // 2
    assert result.schedules == factorial(3)  # the find alone may go anywhere


STEPS = st.sampled_from(("find", "find_of", "insert", "replace", "delete", "require"))
FLOWS = st.lists(st.lists(st.tuples(STEPS, st.sampled_from("ab")), max_size=3), min_size=2, max_size=3)


@attrs.frozen
class Owned:
    """Be something of somebody's."""

    key: str
    subject: str = "alice"
    by: int = 0
    expires_at: int | None = None


def acting(number: int, steps: Sequence[tuple[str, str]]) -> Flow[tuple[object, ...]]:
    """Take these steps, one effect each; give the answers."""
    answers: list[object] = []
    for step, key in steps:
        mine, first = Owned(key, by=number), Owned(key)
        match step:
            case "find":
                answers.append((yield from find(Owned, key)))
            case "find_of":
                found = yield from find_of(Owned, "alice")
                answers.append(frozenset(found))
            case _:
                changes: dict[str, Change] = {
                    "insert": Insert(mine),
                    "delete": Delete(first),
                    "require": Require(first),
                }
                answers.append((yield from commit((changes.get(step, Replace(first, mine)),))))
    return tuple(answers)


@given(FLOWS)
@pytest.mark.slow
def test_whatever_can_be_seen_in_some_order_is_seen_and_every_order_is_counted(
    flows: list[list[tuple[str, str]]],
) -> None:
    def scene() -> Scene[tuple[object, ...]]:
        world = World(MemoryStorage([Owned("a")]))
        return Scene(world, [acting(number + 1, steps) for number, steps in enumerate(flows)])

    def seen(run: Run[tuple[object, ...]]) -> object:
        return run.results, frozenset(run.world.storage.find_of(Owned, "alice"))

    turns = [number for number, steps in enumerate(flows) for _ in steps]
    every = set(permutations(turns))
    few = set[object]()

    result = explore(scene, lambda run: few.add(seen(run)))

    assert few == {seen(replay(scene, schedule)) for schedule in every}
    assert result.orders == len(every)
    assert result.schedules <= len(every)


def test_a_find_beside_a_commit_is_run_in_both_orders() -> None:
    seen = set[tuple[object, ...]]()

    def delete() -> Flow[object]:
        return (yield from commit((Delete(Coin()),)))

    def peek() -> Flow[object]:
        return (yield from find(Coin, "coin"))

    explore(lambda: Scene(World(MemoryStorage([Coin()])), [delete(), peek()]), lambda run: seen.add(run.results))

    assert seen == {(True, Coin()), (True, None)}


def test_other_effects_are_told_by_their_name() -> None:
    stories: list[tuple[str, ...]] = []
    scene = Scene(World(MemoryStorage()), [authenticate("alice", Secret("wonderland"))])

    explore(lambda: scene, lambda run: stories.append(run.story))

    assert stories == [(f"flow 0: {Authenticate.__name__.lower()} alice a secret -> None", "flow 0 gives None")]
    assert "wonderland" not in repr(stories)


def test_more_schedules_than_the_limit_are_refused_rather_than_left_out() -> None:
    with pytest.raises(RuntimeError, match="more than 3 schedules"):
        explore(lambda: Scene(World(MemoryStorage()), [touch(4), touch(4)]), lambda run: None, limit=3)


@pytest.mark.parametrize("storage", [MemoryStorage, Sound])
def test_flows_meet_over_any_storage_blocking_or_async(storage: Factory) -> None:
    result = interleave(spend, spend, prepare=coined, check=spent_once, storage=storage)

    assert result.schedules == 4
    assert result.orders == 6


def test_a_schedule_that_fails_over_any_storage_is_told_and_can_be_run_again_alone() -> None:
    with pytest.raises(ScheduleFailed) as failure:
        interleave(spend_badly, spend_badly, prepare=coined, check=spent_once, storage=Sound)

    schedule = failure.value.schedule
    with pytest.raises(ScheduleFailed) as again:
        interleave(spend_badly, spend_badly, prepare=coined, check=spent_once, storage=Sound, schedule=schedule)
    assert str(again.value) == str(failure.value)
    assert "with: assert" in str(again.value)
    good = interleave(spend_badly, spend_badly, prepare=coined, check=spent_once, storage=Sound, schedule=(0, 0, 0, 1))
    assert good.schedules == 1


def test_a_failure_without_words_is_told_by_the_line_that_failed() -> None:
    def never(run: Run[bool]) -> None:
        if run.results:
            raise AssertionError

    with pytest.raises(ScheduleFailed, match="with: raise AssertionError\nreplay"):
        interleave(spend, prepare=coined, check=never)


def test_whatever_the_check_raises_is_told_with_its_schedule() -> None:
    def mistaken(run: Run[bool]) -> None:
        raise KeyError(run.results)

    with pytest.raises(ScheduleFailed, match=r"with: KeyError: \(True,\)\nreplay it with schedule=\(0, 0\)") as failure:
        interleave(spend, prepare=coined, check=mistaken)

    assert isinstance(failure.value.__cause__, KeyError)


def test_a_flow_that_raises_is_told_with_what_led_there_and_can_be_run_again() -> None:
    def fragile(key: str) -> Flow[bool]:
        coin = yield from find(Coin, key)
        if coin is not None and coin.spent:
            raise ZeroDivisionError("a spent coin")
        return True

    with pytest.raises(ScheduleFailed, match="flow 1 fails in this schedule:") as failure:
        interleave(spend, fragile, prepare=coined, check=lambda run: None)
    with pytest.raises(ScheduleFailed) as again:
        interleave(spend, fragile, prepare=coined, check=lambda run: None, schedule=failure.value.schedule)

    message = str(failure.value)
    assert message == str(again.value)
    assert "  flow 0: commit Replace(Coin coin #" in message
    assert "with: ZeroDivisionError: a spent coin\n" in message


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ((0,), "the schedule .* ends, and flow 0 for: commit Replace.*, flow 1 for: find Coin coin still waits"),
        ((0, 0, 0), "step 2 of the schedule is for flow 0, which has none"),
        ((2,), "step 0 of the schedule is for flow 2, which has none"),
        ((-1,), "step 0 of the schedule is for flow -1, which has none"),
    ],
)
def test_a_schedule_that_is_not_one_of_the_flows_is_told_as_that(schedule: tuple[int, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        interleave(spend, spend, prepare=coined, check=spent_once, schedule=schedule)


def test_flows_that_are_not_the_same_each_time_are_told_as_that() -> None:
    turns: list[int] = []

    def unsteady(drive: Drive) -> str:
        turns.append(1)
        return coined(drive)

    def now_and_then(_: str) -> Flow[int]:
        return touch(1 if len(turns) > 1 else 4)

    with pytest.raises(ValueError, match="does what is prepared differ from time to time"):
        interleave(now_and_then, now_and_then, prepare=unsteady, check=lambda run: None)


def test_a_commit_too_long_to_be_read_is_told_change_by_change() -> None:
    def many(key: str) -> Flow[bool]:
        return (yield from commit([Insert(Coin(f"{number}")) for number in range(9)]))

    with pytest.raises(ScheduleFailed) as failure:
        interleave(many, prepare=coined, check=spent_never)

    lines = str(failure.value).partition("\nwith:")[0].splitlines()
    assert max(map(len, lines)) < 110
    assert sum(line.startswith("        Insert(Coin ") for line in lines) == 8


def spent_never(run: Run[bool]) -> None:
    assert not any(run.results)


def test_a_world_may_be_put_around_the_storage_and_the_check_finds_what_was_prepared() -> None:
    def ask(person: str) -> Flow[object]:
        return (yield from authenticate(person, Secret("wonderland")))

    def check(run: Run[object]) -> None:
        assert run.results == (AuthenticatedUser("alice's subject"),)
        assert run.prepared == "alice"

    interleave(
        ask,
        prepare=lambda drive: "alice",
        check=check,
        world=lambda storage: World(storage, authenticate=lambda name, password: f"{name}'s subject"),
    )


def coined(drive: Drive) -> str:
    """Have one coin."""
    assert drive(commit((Insert(Coin()),)))
    return "coin"


def spend(key: str) -> Flow[bool]:
    """Spend it rightly."""
    return spend_in_one_step()


def spend_badly(key: str) -> Flow[bool]:
    """Spend it in two steps."""
    return spend_in_two_steps()
