"""Whose turn it is: whoever comes seldom comes soon."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oauthcore_h11.fair_queue import FairQueue


def served(queue: FairQueue[str]) -> list[str]:
    """Return who is served, in order."""
    return list(iter(queue.next, None))


def test_those_of_one_flow_are_served_in_the_order_they_came() -> None:
    queue = FairQueue[str](10)
    for name in "abc":
        queue.add(name, ["alice"])

    assert served(queue) == ["a", "b", "c"]


def test_who_comes_new_is_served_beside_the_first_of_a_flood() -> None:
    queue = FairQueue[str](100)
    for number in range(90):
        queue.add(f"flood {number}", ["alice"])
    queue.add("bob", ["bob"])

    assert served(queue)[:3] == ["flood 0", "bob", "flood 1"]


def test_a_flow_is_an_account_from_anywhere_and_an_address_with_any_account() -> None:
    queue = FairQueue[str](100)
    for number in range(10):
        queue.add(f"accounts {number}", [f"account {number}", "address here"])
    for number in range(10):
        queue.add(f"addresses {number}", ["account alice", f"address {number}"])
    queue.add("bob", ["account bob", "address there"])

    assert set(served(queue)[:3]) == {"accounts 0", "addresses 0", "bob"}


def test_a_flood_at_one_account_from_a_shared_address_costs_that_address_only_its_own_turns() -> None:
    """The account's flood came from elsewhere; one more of it from here is no reason for others here to wait."""
    queue = FairQueue[str](100)
    for number in range(50):
        queue.add(f"flood {number}", ["account alice", f"address {number}"])
    queue.add("alice", ["account alice", "address office"])
    queue.add("bob", ["account bob", "address office"])

    assert "bob" in served(queue)[:4]


def test_a_flow_that_was_served_much_has_nothing_to_make_up_for_later() -> None:
    queue = FairQueue[str](100)
    for number in range(10):
        queue.add(f"before {number}", ["alice"])
    assert len(served(queue)) == 10
    queue.add("bob", ["bob"])
    queue.add("alice", ["alice"])

    assert served(queue) == ["bob", "alice"]


def test_half_a_step_is_twice_the_share() -> None:
    queue = FairQueue[str](100)
    for number in range(4):
        queue.add(f"whole {number}", ["one"])
        queue.add(f"half {number}", ["other"], 0.5)

    assert served(queue)[:6] == ["half 0", "whole 0", "half 1", "half 2", "whole 1", "half 3"]


def test_when_the_places_are_taken_who_stands_furthest_behind_loses_theirs() -> None:
    queue = FairQueue[str](3)
    assert [queue.add(name, ["alice"]) for name in "abc"] == [None] * 3

    assert queue.add("d", ["alice"]) == "d"
    assert queue.add("bob", ["bob"]) == "c"
    assert served(queue) == ["a", "bob", "b"]


def test_who_lost_a_place_or_left_is_not_counted_as_served() -> None:
    queue = FairQueue[str](2)
    for name in "abcdefgh":
        queue.add(name, ["alice"])
    queue.remove("b")
    queue.add("again", ["alice"])
    queue.add("bob", ["bob"])

    assert served(queue) == ["a", "bob"]


def test_to_remove_what_does_not_wait_changes_nothing() -> None:
    queue = FairQueue[str](2)
    queue.add("a", ["alice"])
    queue.remove("b")

    assert len(queue) == 1


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz"), st.booleans()), max_size=40))
def test_whatever_comes_each_is_served_once_or_loses_its_place(coming: list[tuple[str, str, bool]]) -> None:
    queue = FairQueue[int](5)
    gone: list[int | None] = []
    for number, (account, address, is_served) in enumerate(coming):
        gone.append(queue.add(number, [account, address]))
        if is_served:
            gone.append(queue.next())
        assert len(queue) <= 5
    gone += list(iter(queue.next, None))

    assert sorted(number for number in gone if number is not None) == list(range(len(coming)))
    assert len(queue._last) <= 8
