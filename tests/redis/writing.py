"""Threads that write pairs of records while something happens to the server, and what is then to be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event, Semaphore

from redis.exceptions import RedisError

from oauthcore.flow.outcome import Insert
from oauthcore_redis import RedisStorage
from tests.processes import PATIENCE
from tests.redis.things import Other, Thing

THREADS = 4


def check_pairs_are_whole_and_kept(storage: RedisStorage, mishap: Callable[[Semaphore], object]) -> int:
    """Write under a mishap, which is handed what counts the commits that were acknowledged; give how many were.

    Each of them is there afterwards, and none by half; and the mishap was one that somebody noticed.
    """
    numbers, is_over, done = count(), Event(), Semaphore(0)
    acknowledged: list[str] = []
    errors: Counter[type] = Counter()

    def write(_: int) -> None:
        while not is_over.is_set():
            key = f"{next(numbers)}"
            try:
                assert storage.commit((Insert(Thing(key)), Insert(Other(key)))) is True
            except RedisError as error:
                errors[type(error)] += 1
            else:
                acknowledged.append(key)
                done.release()

    with ThreadPoolExecutor(THREADS) as pool:
        writers = [pool.submit(write, number) for number in range(THREADS)]
        mishap(done)
        is_over.set()
        for writer in writers:
            writer.result(PATIENCE)

    there, others = {thing.key for thing in storage.every(Thing)}, {other.key for other in storage.every(Other)}
    assert errors, "the server was killed, and nobody noticed"
    assert set(acknowledged) <= there
    assert there == others
    return len(acknowledged)
