"""Time the contestants side by side, and set the figures in a table.

A round gives each contestant one small batch of prepared requests, in an order that turns by one from round to round;
so whatever disturbs the machine disturbs all alike, and nobody always runs behind the same neighbour. One sample is a
batch's time divided by its size; a batch is over in a millisecond or two, before most of what else a machine has to do
can come between. The garbage collector stays on, as in service, but whatever one batch leaves behind
is collected before the next begins. Storage is emptied before every batch. A few answers are given before the clock
starts: some preparations run the contestant's code and some don't, and without them the latter would be measured with
the processor's caches full of the neighbour's code.

What counts is the CPU time of the thread, not the clock's: where other programs want the processor, those of a batch
that had to wait for it would else be ten times as slow as the others. What another program does to the processor's
caches is still in the figures, in those of all alike.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence

import attrs
from typing_extensions import override

from benchmarks.operations import TUNED, Contestant, Operation

BATCH = 10
LEAD_IN = 10
WARM_UP_ROUNDS = 5
FLOOR = "floor"
OURS = "oauthcore"

# What the benchmark is there to show; see the package's docstring.
MOST_FLOORS = {
    "client credentials": 2.3,
    "code exchange": 2.4,
    "refresh": 2.4,
    "introspection": 1.7,
    "authorize": 2.7,
}
LEAST_LEADS = {"introspection": 1.0}
USUAL_LEAD = 2.0


@attrs.frozen
class Figures:
    """Hold the microseconds one contestant took for one operation."""

    lower_quartile: float
    median: float
    upper_quartile: float
    best: float
    batches: int


@attrs.frozen
class Result:
    """Hold one operation's figures, by contestant."""

    operation: str
    figures: dict[str, Figures]

    def ratio(self, name: str, other: str) -> float:
        """Return how many times as long `name` takes as `other`."""
        return self.figures[name].median / self.figures[other].median

    def fastest_peer(self, *, tuned: bool) -> str:
        """Return the name of the fastest peer: of those as they come, or of all."""
        peers = [name for name in self.figures if name not in (FLOOR, OURS) and (tuned or not name.endswith(TUNED))]
        return min(peers, key=lambda name: self.figures[name].median)


@attrs.frozen
class Verdict:
    """Say of one aim what it demands and what was reached; `least` or `most` is the bound."""

    aim: str
    reached: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        """Return whether the aim is met."""
        return (self.least is None or self.reached >= self.least) and (self.most is None or self.reached <= self.most)

    @override
    def __str__(self) -> str:
        bound = f"at most {self.most:g}" if self.least is None else f"at least {self.least:g}"
        return f"{'met' if self.met else 'NOT MET'}: {self.aim}: {self.reached:.2f}, {bound}"


def measure(operation: Operation, contestants: Sequence[Contestant], seconds: float) -> Result:
    """Run rounds for that many seconds, preparation included, and give what they took."""
    samples: dict[str, list[float]] = {one.name: [] for one in contestants}
    gc.collect()
    gc.freeze()
    for turn in range(WARM_UP_ROUNDS):
        _round(operation, contestants, turn, samples)
    for times in samples.values():
        times.clear()
    turn, end = 0, time.perf_counter() + seconds
    # A whole cycle gives everybody every place in the order.
    while time.perf_counter() < end or turn % len(contestants):
        _round(operation, contestants, turn, samples)
        turn += 1
    gc.unfreeze()
    return Result(operation.name, {name: _figures(times) for name, times in samples.items()})


def _round(operation: Operation, contestants: Sequence[Contestant], turn: int, samples: dict[str, list[float]]) -> None:
    first = turn % len(contestants)
    for contestant in (*contestants[first:], *contestants[:first]):
        samples[contestant.name].append(_batch(operation, contestant))


def _batch(operation: Operation, contestant: Contestant) -> float:
    contestant.forget()
    requests = [operation.prepare(contestant) for _ in range(LEAD_IN + BATCH)]
    answer = operation.timed(contestant)
    gc.collect()
    for request in requests[:LEAD_IN]:
        answer(request)
    requests = requests[LEAD_IN:]
    started = time.thread_time_ns()
    for request in requests:
        answer(request)
    return (time.thread_time_ns() - started) / 1000 / BATCH


def _figures(times: list[float]) -> Figures:
    lower, median, upper = statistics.quantiles(times, n=4, method="inclusive")
    return Figures(lower, median, upper, min(times), len(times))


def table(results: Sequence[Result]) -> str:
    """Set results as text: one block an operation, one line a contestant, the fastest first."""
    heading = f"{'':<22}{'median':>10}{'quartiles':>20}{'x floor':>10}{'x oauthcore':>13}"
    lines = [heading, "-" * len(heading)]
    for result in results:
        lines.append(f"{result.operation} (µs)")
        for name, it in sorted(result.figures.items(), key=lambda item: item[1].median):
            quartiles = f"{it.lower_quartile:.1f} .. {it.upper_quartile:.1f}"
            ratios = f"{result.ratio(name, FLOOR):>10.2f}{result.ratio(name, OURS):>13.2f}"
            lines.append(f"  {name:<20}{it.median:>10.1f}{quartiles:>20}{ratios}")
        lines += [f"  {verdict}" for verdict in verdicts(result)]
    return "\n".join(lines)


def verdicts(result: Result) -> list[Verdict]:
    """Compare what was reached with the aims."""
    least = LEAST_LEADS.get(result.operation, USUAL_LEAD)
    verdict = Verdict("floors", result.ratio(OURS, FLOOR), most=MOST_FLOORS[result.operation])
    as_it_comes, tuned = result.fastest_peer(tuned=False), result.fastest_peer(tuned=True)
    said = [verdict, Verdict(f"times as fast as {as_it_comes}", result.ratio(as_it_comes, OURS), least=least)]
    if tuned != as_it_comes:
        said.append(Verdict(f"times as fast as {tuned}", result.ratio(tuned, OURS), least=least))
    return said
