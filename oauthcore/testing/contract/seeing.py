"""Clauses about what is seen while others commit: all that a commit did or nothing, and nothing of one that fails."""

from __future__ import annotations

from typing import Any

from oauthcore.flow.outcome import Delete, Insert, Replace, Require
from oauthcore.records.client import Client
from oauthcore.records.kinds import has_subject
from oauthcore.testing.contract.clause import NotOffered, Terms
from oauthcore.testing.samples import sample
from oauthcore.testing.storage_probe import Call, Script, StorageProbe
from oauthcore.testing.telling import brief

# How often what is watched is changed.
PAIRS = 25


def commits_are_seen_whole(probe: StorageProbe, terms: Terms) -> None:
    """After finding one result of a commit, all of its other results are found."""
    firsts, seconds = ([sample(Client, key, number) for number in range(PAIRS)] for key in ("first", "second"))
    probe.put(firsts[0], seconds[0])

    def write() -> Script[None]:
        """Change both, again and again, in either order."""
        for number in range(PAIRS - 1):
            pair = (Replace(firsts[number], firsts[number + 1]), Replace(seconds[number], seconds[number + 1]))
            if (yield Call("commit", (pair if number % 2 else pair[::-1],))) is not True:
                raise AssertionError("the only writer lost a race")

    def watch(one: str, other: str) -> Script[list[tuple[int, int]]]:
        """Find the one and then the other, again and again."""
        seen = []
        for _ in range(PAIRS):
            earlier = yield Call("find", (Client, one))
            later = yield Call("find", (Client, other))
            seen.append((_number(earlier), _number(later)))
        return seen

    _, *watched = probe.together(write(), watch("first", "second"), watch("second", "first"))
    torn = [pair for seen in watched for pair in seen if pair[0] > pair[1]]
    if torn:
        raise AssertionError(f"commit {torn and torn[0]} was seen by half: the first number is newer than the second")


def find_of_sees_commits_whole(probe: StorageProbe, terms: Terms) -> None:
    """`find_of` returns the results of one whole commit, and nothing of a commit that fails."""
    kind: Any = next((kind for kind in terms.kinds if has_subject(kind)), None)
    if kind is None:
        raise NotOffered("none of these kinds is found by subject")
    one, other, more = (
        [sample(kind, key, number, subject="alice") for number in range(PAIRS)] for key in ("1", "2", "3")
    )
    # Two records that change together, and a third one that comes and goes with them.
    states = [[one[n], other[n], *(more[n : n + 1] if n % 2 else [])] for n in range(PAIRS)]
    ghost, missing = sample(kind, "4", subject="alice"), sample(Client, "missing")
    probe.put(*states[0])

    def write() -> Script[None]:
        """Go from state to state."""
        for n in range(PAIRS - 1):
            third = Delete(more[n]) if n % 2 else Insert(more[n + 1])
            changes = (Replace(one[n], one[n + 1]), third, Replace(other[n], other[n + 1]))
            if (yield Call("commit", (changes,))) is not True:
                raise AssertionError("the only writer lost a race")

    def fail() -> Script[None]:
        """Insert, in a commit that can't be made."""
        for _ in range(PAIRS):
            if (yield Call("commit", ((Insert(ghost), Require(missing)),))) is not False:
                raise AssertionError("a missing record was there")

    def watch() -> Script[list[Any]]:
        """Find again and again."""
        seen = []
        for _ in range(PAIRS):
            found = yield Call("find_of", (kind, "alice"))
            seen.append(sorted(found, key=lambda record: record.key))
        return seen

    _, _, *watched = probe.together(write(), fail(), watch(), watch())
    torn = [found for seen in watched for found in seen if found not in states]
    if torn:
        raise AssertionError(f"find_of gave what no commit left: {', '.join(map(brief, torn[0])) or 'nothing'}")


def handles_see_each_other(probe: StorageProbe, terms: Terms) -> None:
    """What one handle commits, another finds at once, by key and by subject, and its outdated changes fail."""
    if probe.subject.other is None:
        raise NotOffered("the storage has one handle alone")
    one, two, three = (sample(Client, "a", number) for number in (1, 2, 3))
    for here, there in ((0, 1), (1, 0)):
        if not probe.tried(Insert(one), handle=here):
            raise AssertionError("a handle could not insert what is not there")
        if probe.find(Client, "a", handle=there) != one:
            raise AssertionError("another handle does not find what was committed")
        if not probe.tried(Replace(one, two), handle=there):
            raise AssertionError("another handle could not replace what it had found")
        if probe.find(Client, "a", handle=here) != two:
            raise AssertionError("a handle still finds what another has replaced")
        if probe.tried(Replace(one, three), handle=here):
            raise AssertionError("a handle replaced what another had replaced")
        if not probe.tried(Delete(two), handle=there):
            raise AssertionError("where one handle had lost, another could not go on")
        if probe.find(Client, "a", handle=here) is not None:
            raise AssertionError("a handle still finds what another has deleted")
        for kind in (kind for kind in terms.kinds if has_subject(kind)):
            owned = sample(kind, "a", 1, subject="alice")
            if probe.find_of(kind, "alice", handle=there):
                raise AssertionError(f"there is a {kind.__name__} of alice")
            if not probe.tried(Insert(owned), handle=here):
                raise AssertionError(f"a {kind.__name__} could not be inserted")
            found = probe.find_of(kind, "alice", handle=there)
            if list(found) != [owned]:
                raise AssertionError(f"another handle does not find a {kind.__name__} by its subject")
            if not probe.tried(Delete(owned), handle=here):
                raise AssertionError(f"a {kind.__name__} could not be deleted")


def _number(record: Client) -> int:
    return int((record.name or "").rpartition("-")[2])


CLAUSES = (
    commits_are_seen_whole,
    find_of_sees_commits_whole,
    handles_see_each_other,
)
