"""Clauses about a connection that dies, between calls and inside of them, for storages whose connections can be cut.

A call may then raise, and it is unknown whether its commit was made; but it was made completely or not at all, True
still means that it is durable, and the storage recovers by itself.
"""

from __future__ import annotations

from typing import Any

from oauthcore.flow.outcome import Change, Insert, Replace
from oauthcore.records.client import Client
from oauthcore.testing.contract.clause import NotOffered, Terms
from oauthcore.testing.samples import sample
from oauthcore.testing.storage_probe import SEVER, Call, Raised, Script, StorageProbe
from oauthcore.testing.telling import outlined

# A pool may have to find out about each of its connections, one call at a time.
PATIENT = 20
COMMITS = 10


def storage_recovers_between_calls(probe: StorageProbe, terms: Terms) -> None:
    """After its connections were cut, a call returns the right result or raises, and the storage soon works again."""
    _needs_sever(probe)
    one, two = sample(Client, "a", 1), sample(Client, "a", 2)
    probe.put(one)
    for _ in range(terms.rounds):
        probe.ask(SEVER)
        if _recovered(probe) != one:
            raise AssertionError("after its connections were cut, the storage did not find what is there")
    probe.ask(SEVER)
    done = probe.attempt(Call("commit", ((Replace(one, two), Insert(sample(Client, "b", 1))),)))
    if done is not True and not isinstance(done, Raised):
        raise AssertionError(f"a commit that could be made was {done!r}")
    _whole(probe, done, one, two)


def commits_are_whole_though_connections_die_inside(probe: StorageProbe, terms: Terms) -> None:
    """While connections are cut, a commit is made as a whole or not at all; True means that it was, False not."""
    _needs_sever(probe)
    for turn in range(terms.rounds):
        pairs = {
            (who, number): (_record(f"{turn} {who} {number} one"), _record(f"{turn} {who} {number} two"))
            for who in range(terms.contenders)
            for number in range(COMMITS)
        }
        scripts = [_commits([pairs[who, number] for number in range(COMMITS)]) for who in range(terms.contenders)]
        results = probe.together(*scripts, _cuts(), forgiving=True)
        _recovered(probe)
        for who, answers in enumerate(results[:-1]):
            for number, answer in enumerate(answers):
                there = [probe.find(Client, record.key) is not None for record in pairs[who, number]]
                if there[0] != there[1]:
                    raise AssertionError(f"round {turn}: half of a commit was made that gave {answer!r}")
                if answer is not there[0] and not isinstance(answer, Raised):
                    raise AssertionError(f"round {turn}: a commit gave {answer!r}, and what is there is {there}")


def one_wins_though_connections_die_inside(probe: StorageProbe, terms: Terms) -> None:
    """While connections are cut, at most one of many commits for one record succeeds: the one that returns True."""
    _needs_sever(probe)
    for turn in range(terms.rounds):
        key = f"round {turn}"
        probe.put(sample(Client, key, 0))
        wishes = [sample(Client, key, number + 1) for number in range(terms.contenders)]
        scripts = [_commits([], Replace(sample(Client, key, 0), wish)) for wish in wishes]
        *results, _ = probe.together(*scripts, _cuts(), forgiving=True)
        answers = [answer for (answer,) in results]
        _recovered(probe)
        found = probe.find(Client, key)
        won = [wish for wish, answer in zip(wishes, answers, strict=True) if answer is True]
        possible = [wish for wish, answer in zip(wishes, answers, strict=True) if isinstance(answer, Raised)]
        if len(won) > 1:
            raise AssertionError(f"round {turn}: {len(won)} were told that they got it")
        allowed = won or [*possible, sample(Client, key, 0)]
        if found not in allowed:
            raise AssertionError(f"round {turn}: {outlined(found)} is there, and the answers were {answers!r}")


def _needs_sever(probe: StorageProbe) -> None:
    if probe.subject.sever is None:
        raise NotOffered("the storage offers no way to cut its connections")


def _recovered(probe: StorageProbe) -> Any:
    """Ask until it answers; give what it found."""
    answer: Any = None
    for _ in range(PATIENT):
        answer = probe.attempt(Call("find", (Client, "a")))
        if not isinstance(answer, Raised):
            return answer
    raise AssertionError(f"the storage did not recover in {PATIENT} calls") from answer.error


def _whole(probe: StorageProbe, done: Any, one: Client, two: Client) -> None:
    _recovered(probe)
    there = probe.find(Client, "a"), probe.find(Client, "b")
    shown = " and ".join(map(outlined, there))
    if there not in ((one, None), (two, sample(Client, "b", 1))):
        raise AssertionError(f"half of a commit was made: there is {shown}")
    if done is True and there[0] != two:
        raise AssertionError("a commit was True, and is not there")


def _commits(pairs: list[tuple[Client, Client]], *changes: Change) -> Script[list[Any]]:
    """Commit pairs one by one, or one commit of those changes; give the answers."""
    commits: list[tuple[Change, ...]] = [(Insert(one), Insert(other)) for one, other in pairs] or [changes]
    answers = []
    for commit in commits:
        answers.append((yield Call("commit", (commit,))))
    return answers


def _cuts() -> Script[None]:
    """Cut all connections, between the calls of others and inside of them."""
    for number in range(COMMITS):
        for _ in range(number):
            yield Call("find", (Client, "a"))
        yield SEVER


def _record(key: str) -> Client:
    return sample(Client, key, 1)


CLAUSES = (
    storage_recovers_between_calls,
    commits_are_whole_though_connections_die_inside,
    one_wins_though_connections_die_inside,
)
