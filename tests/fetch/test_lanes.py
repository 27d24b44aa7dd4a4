"""Who is asked now and who waits: servers that do not answer keep nobody from asking those that do."""

from __future__ import annotations

from math import inf

import attrs
import pytest

from oauthcore_fetch import lanes as lanes_module
from oauthcore_fetch.lanes import PROBATION, Lanes, Waiting


@attrs.define
class Line:
    """Hold lanes with a clock that is moved by hand, and who was started and who expired."""

    at_once: int = 8
    now: float = 0.0
    started: list[str] = attrs.field(factory=list)
    expired: list[str] = attrs.field(factory=list)
    lanes: Lanes = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes(self.at_once, lambda: self.now)

    def enter(self, host: str, *, until: float = inf) -> Waiting:
        """Have somebody ask a host."""
        waiting = Waiting(host, until, lambda: self.started.append(host), lambda: self.expired.append(host))
        self.lanes.enter(waiting)
        return waiting

    def prove(self, *hosts: str) -> None:
        """Have hosts answer."""
        for host in hosts:
            self.enter(host)
            self.lanes.leave(host, answered=True)
        self.started.clear()


@pytest.fixture
def line() -> Line:
    return Line()


def test_hosts_that_have_not_answered_share_one_half(line: Line) -> None:
    for number in range(20):
        line.enter(f"{number}.example")

    assert line.started == ["0.example", "1.example", "2.example", "3.example"]


def test_host_that_has_answered_is_asked_whatever_others_wait_for(line: Line) -> None:
    line.prove("honest.example")
    for number in range(20):
        line.enter(f"{number}.example")

    line.enter("honest.example")

    assert line.started[-1] == "honest.example"


def test_host_that_has_not_answered_takes_a_quarter(line: Line) -> None:
    for _ in range(5):
        line.enter("a.example")
    line.enter("b.example")

    assert line.started == ["a.example", "a.example", "b.example"]


def test_host_that_has_answered_takes_a_half(line: Line) -> None:
    line.prove("a.example")
    for _ in range(5):
        line.enter("a.example")

    assert line.started == ["a.example"] * 4


def test_no_more_are_asked_at_once_than_there_are_lanes(line: Line) -> None:
    line.prove("a.example", "b.example", "c.example")
    for host in ["a.example", "b.example", "c.example"] * 4:
        line.enter(host)

    assert len(line.started) == 8


def test_who_leaves_lets_the_next_one_in(line: Line) -> None:
    for number in range(5):
        line.enter(f"{number}.example")

    line.lanes.leave("0.example", answered=False)

    assert line.started[-1] == "4.example"


def test_host_that_failed_has_to_prove_itself_for_longer_than_one_answer(line: Line) -> None:
    line.prove("a.example")
    line.enter("a.example")
    line.lanes.leave("a.example", answered=False)
    line.prove("a.example")
    for _ in range(5):
        line.enter("a.example")

    assert line.started == ["a.example"] * 2


def test_host_that_failed_long_ago_is_proven_by_an_answer(line: Line) -> None:
    line.enter("a.example")
    line.lanes.leave("a.example", answered=False)
    line.now += PROBATION
    line.prove("a.example")
    for _ in range(5):
        line.enter("a.example")

    assert line.started == ["a.example"] * 4


def test_whose_time_has_passed_is_not_started_any_more(line: Line) -> None:
    for number in range(5):
        line.enter(f"{number}.example", until=10)

    line.now = 10
    line.lanes.leave("0.example", answered=False)

    assert line.expired == ["4.example"]
    assert "4.example" not in line.started


def test_who_gives_up_is_not_started(line: Line) -> None:
    waiting = [line.enter(f"{number}.example") for number in range(5)]

    given_up = [line.lanes.give_up(one) for one in (waiting[4], waiting[0])]
    line.lanes.leave("0.example", answered=False)

    assert given_up == [True, False]
    assert "4.example" not in line.started


def test_single_lane_is_for_anybody() -> None:
    line = Line(at_once=1)
    line.enter("a.example")
    line.enter("b.example")
    line.lanes.leave("a.example", answered=True)

    assert line.started == ["a.example", "b.example"]


def test_hosts_beyond_number_are_not_remembered(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "KNOWN_HOSTS", 10)
    for number in range(50):
        line.prove(f"{number}.example")
        line.enter(f"down-{number}.example")
        line.lanes.leave(f"down-{number}.example", answered=False)

    assert (len(line.lanes._proven), len(line.lanes._failed), line.lanes._busy) == (10, 10, {})
