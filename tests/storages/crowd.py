"""A crowd: many processes that redeem the same codes and refresh the same tokens at once, over any storage.

Each process has a server and a connection of its own, and all go through the list in the same order from the same
moment, so that they meet at nearly every code. A storage is named by a function that opens it in each process.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Barrier
from typing import Literal, TypeAlias

import attrs

from oauthcore import MemoryStorage, Response, Secret, World
from oauthcore.flow.outcome import Insert
from oauthcore.flow.storage import Storage
from oauthcore.records.record import Record
from oauthcore.testing import SeededEntropy
from tests.core.site import CLIENTS, SECRETS, Site, make_site, members
from tests.scale import scaled

Opening: TypeAlias = Callable[[], Storage]
"""Opens the storage; it goes to other processes, so it is a function of a module, or a `partial` of one."""
Act: TypeAlias = Literal["redeem", "refresh"]

PROCESSES = 16
COUNT = scaled(60, 1_000)
BATCH = 500
# Longer than any start of a process takes on a busy machine.
PATIENCE = 600.0

_start: Barrier


@attrs.frozen
class Crowd:
    """Hold what all processes were answered, in sum; `pairs` are the different answers that each secret had."""

    statuses: Counter[int]
    events: Counter[str]
    pairs: Sequence[set[str]]


def site_on(opening: Opening, seed: int) -> Site:
    """Make a site over a storage; all have the same keys and the same time, and chances of their own."""
    site = make_site(entropy=SeededEntropy(seed))
    site.world = World(opening(), audit=site.events.append)
    return site


def prepare(opening: Opening, count: int = COUNT) -> tuple[Sequence[str], Sequence[str]]:
    """Register the clients and give fresh codes, and refresh tokens of other authorizations, as many of each."""
    codes, tokens, records = _prepared(count)
    storage = opening()
    for start in range(0, len(records), BATCH):
        assert storage.commit([Insert(record) for record in records[start : start + BATCH]])
    close = getattr(storage, "close", None)  # no part of the protocol
    if close is not None:
        close()
    return codes, tokens


@cache
def _prepared(count: int) -> tuple[Sequence[str], Sequence[str], Sequence[Record]]:
    """Return codes, tokens and all records, made in memory, once for all storages: how they come is not the matter."""
    memory = MemoryStorage()
    site = site_on(lambda: memory, 0)
    for client in CLIENTS:
        secret = Secret(SECRETS[client.client_id]) if client.client_id in SECRETS else None
        site.drive(site.server.clients.register(client, secret), site.world)
    codes = [site.code() for _ in range(count)]
    tokens = [site.tokens()["refresh_token"] for _ in range(count)]
    return codes, tokens, list(memory._records.values())


@contextmanager
def gathered(processes: int = PROCESSES) -> Iterator[Callable[[Opening, Act, Sequence[str]], Crowd]]:
    """Start processes, and give what lets them all redeem codes, or refresh tokens, all of them each."""
    # Processes are made by one that has all modules already, and neither threads nor connections.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, _remember, (start,)) as pool:

        def crowd(opening: Opening, act: Act, secrets: Sequence[str]) -> Crowd:
            # None begins before all have begun, so that each job has a process of its own.
            jobs = [pool.submit(_contend, opening, act, secrets, seed + 1) for seed in range(processes)]
            return _summed([job.result(PATIENCE) for job in jobs], len(secrets))

        yield crowd


def _summed(results: Sequence[tuple[Counter[int], Counter[str], list[str]]], count: int) -> Crowd:
    statuses, events = Counter[int](), Counter[str]()
    pairs: list[set[str]] = [set() for _ in range(count)]
    for given, heard, answers in results:
        statuses += given
        events += heard
        for found, answer in zip(pairs, answers, strict=True):
            found |= {answer} - {""}
    return Crowd(statuses, events, pairs)


def _remember(start: Barrier) -> None:
    global _start
    _start = start


def _contend(
    opening: Opening, act: Act, secrets: Sequence[str], seed: int
) -> tuple[Counter[int], Counter[str], list[str]]:
    """Be one of the processes: give the statuses, the events, and the pair that each secret was answered with."""
    site = site_on(opening, seed)
    _start.wait(PATIENCE)
    ask = site.redeem if act == "redeem" else site.refresh
    answers = [ask(secret) for secret in secrets]
    statuses = Counter(answer.status for answer in answers)
    return statuses, Counter(event.name for event in site.events), [_pair(answer) for answer in answers]


def _pair(answer: Response) -> str:
    """Return the tokens that are in an answer, blank for none."""
    if answer.status != 200:
        return ""
    given = members(answer)
    return f"{given['access_token']} {given['refresh_token']}"


def check_redeeming(found: Crowd, count: int = COUNT, processes: int = PROCESSES) -> None:
    """Demand that each code was redeemed by one, and refused to all others."""
    assert found.statuses == {200: count, 400: count * (processes - 1)}
    assert [len(pairs) for pairs in found.pairs] == [1] * count
    assert found.events["token_issued"] == count


def check_refreshing(found: Crowd, count: int = COUNT, processes: int = PROCESSES) -> None:
    """Demand that each token was refreshed once, and that all others had the same pair, as who tries again has."""
    assert found.statuses == {200: count * processes}
    assert [len(pairs) for pairs in found.pairs] == [1] * count
    assert found.events["token_refreshed"] == count
    assert found.events["token_refresh_retried"] == count * (processes - 1)
