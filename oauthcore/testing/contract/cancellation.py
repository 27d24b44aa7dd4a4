"""A clause about cancelling a task that awaits a commit: its client has disconnected, or a timeout has passed.

It is unknown then whether the commit was made. It was made completely or not at all, and others are not blocked.
"""

from __future__ import annotations

from typing import Any

from oauthcore.flow.outcome import Insert
from oauthcore.records.client import Client
from oauthcore.testing.contract.clause import Terms
from oauthcore.testing.samples import sample
from oauthcore.testing.storage_probe import Call, Script, StorageProbe

# After how many turns of the event loop: a storage in memory takes a few, and one behind a socket some hundreds.
TURNS = (*range(10), 12, 15, 19, 24, 30, 38, 48, 60, 80, 110, 150, 200, 300, 500)


def cancelled_commit_is_whole_and_in_nobodys_way(probe: StorageProbe, terms: Terms) -> None:
    """A commit that is cancelled while it is awaited is made completely or not at all, and blocks no other."""
    if not probe.is_async:
        return  # a blocking call can't be cancelled
    for turns in TURNS:
        records = [sample(Client, f"{turns} {number}", 1) for number in range(3)]
        answer = probe.broken_off(Call("commit", (tuple(map(Insert, records)),)), turns)
        # From here on it can't be made any more, however late it comes.
        (is_free,) = probe.together(_once(records[0]))
        there = [not is_free, *(probe.find(Client, record.key) is not None for record in records[1:])]
        if len(set(there)) != 1:
            raise AssertionError(f"cancelled after {turns} turns, half of a commit was made")
        if answer is True and not there[0]:
            raise AssertionError(f"a commit was True, and is not there, cancelled after {turns} turns")


def _once(record: Client) -> Script[Any]:
    return (yield Call("commit", ((Insert(record),),)))


CLAUSES = (cancelled_commit_is_whole_and_in_nobodys_way,)
