"""Many requests at once: what they need of other servers is fetched once, and dead servers hold up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import monotonic
from urllib.parse import urlsplit

import anyio
import attrs
import pytest

from oauthcore import AsyncWorld, Outgoing, Request, Response, arun, run
from oauthcore.documents import SOONEST_AGAIN
from oauthcore.jose.jwk import set_of
from oauthcore_fetch import AsyncFetcher, Fetcher, FetchFailed
from oauthcore_fetch.flights import LINGER, Flights
from tests.core.clients.asserting import JWKS_URI, KEY, RSA, asserting_site, assertion, body
from tests.core.site import FORM, Site
from tests.processes import PATIENCE

TRIES = 60


class Network(Fetcher):
    """Be the network: what is in `dead` answers when it is let to, all else at once."""

    def __init__(self, *dead: str, timeout: float = 5.0, at_once: int = 8) -> None:
        super().__init__(timeout=timeout, at_once=at_once)
        self.dead = dead
        self.asked: list[str] = []
        self.go_on = Event()

    def send(self, request: Outgoing) -> Response:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Answer with a key set."""
        self.asked.append(request.url)
        if (urlsplit(request.url).hostname or "").endswith(self.dead):
            self.go_on.wait(PATIENCE)
        return Response(200, (), set_of([KEY]))


def get(url: str) -> Outgoing:
    return Outgoing("GET", url)


def by_an_unknown_key(number: int) -> Request:
    """Return a request that names a client and is signed by a key it does not publish: anybody can make one."""
    signed = assertion("publishing", key=RSA, alg="RS256", jti=f"j{number}")
    return Request("POST", "/token", (FORM,), body(signed))


async def until(is_so: Callable[[], bool]) -> None:
    """Let others go on until something is so."""
    with anyio.fail_after(PATIENCE):
        while not is_so():
            await asyncio.sleep(0)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Let other threads go on until something is so."""
    end = monotonic() + PATIENCE
    while not is_so():
        assert monotonic() < end, "it never was so"


async def herd(site: Site, world: AsyncWorld, network: Network, before: int) -> list[int]:
    """Make many requests together, and have the client's server answer when all of them wait; return the statuses."""
    network.go_on.clear()
    requests = [site.server.handle(by_an_unknown_key(before + number)) for number in range(TRIES)]
    tasks = [asyncio.ensure_future(arun(request, world)) for request in requests]
    for _ in range(100):
        await asyncio.sleep(0)
    network.go_on.set()
    return [response.status for response in await asyncio.gather(*tasks)]


def test_many_requests_fetch_one_document_once_a_minute() -> None:
    """Keys that nobody knows, named by anybody: `SOONEST_AGAIN` holds when requests overlap, too."""
    network = Network("publishing.example")
    site = asserting_site()
    world = AsyncWorld(site.world.storage, fetch=AsyncFetcher(network, clock=site.clock))

    async def herds() -> list[int]:
        counts = []
        for second in (0, SOONEST_AGAIN - 1, 1):
            site.clock.advance(second)
            assert set(await herd(site, world, network, TRIES * second)) == {401}
            counts.append(len(network.asked))
        return counts

    assert anyio.run(herds) == [1, 1, 2]
    assert set(network.asked) == {JWKS_URI}


def test_threads_fetch_one_document_once() -> None:
    network = Network("publishing.example", at_once=40)
    site = asserting_site()
    world = attrs.evolve(site.world, fetch=network)
    start = Barrier(9)

    def request(number: int) -> int:
        start.wait(PATIENCE)
        return run(site.server.handle(by_an_unknown_key(number)), world).status

    with ThreadPoolExecutor(8) as threads:
        statuses = [threads.submit(request, number) for number in range(8)]
        start.wait(PATIENCE)
        network.go_on.set()

    assert [status.result(PATIENCE) for status in statuses] == [401] * 8
    assert network.asked == [JWKS_URI]


def test_dead_servers_however_many_do_not_hold_up_one_that_answers() -> None:
    network = Network("dead.example")
    fetcher = AsyncFetcher(network)

    async def ask() -> None:
        await fetcher(get("https://honest.example/1"))
        waiting = [asyncio.ensure_future(fetcher(get(f"https://{n}.dead.example/"))) for n in range(100)]
        await until(lambda: len(network.asked) > 8)

        answer = await fetcher(get("https://honest.example/2"))

        network.go_on.set()
        await asyncio.gather(*waiting)
        assert answer.status == 200

    anyio.run(ask)


def test_one_dead_server_with_many_documents_does_not_hold_up_others_that_are_new() -> None:
    network = Network("dead.example")
    fetcher = AsyncFetcher(network)

    async def ask() -> None:
        waiting = [asyncio.ensure_future(fetcher(get(f"https://dead.example/{n}"))) for n in range(100)]
        await until(lambda: len(network.asked) == 4)

        answer = await fetcher(get("https://new.example/"))

        network.go_on.set()
        await asyncio.gather(*waiting)
        assert answer.status == 200

    anyio.run(ask)


def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    network = Network("dead.example")
    fetcher = AsyncFetcher(network)

    async def ask() -> Response:
        first, second = (asyncio.ensure_future(fetcher(get("https://dead.example/"))) for _ in range(2))
        await until(lambda: bool(network.asked))
        first.cancel()
        network.go_on.set()
        return await second

    assert anyio.run(ask).status == 200
    assert len(network.asked) == 1


def test_whose_turn_does_not_come_in_time_has_no_answer() -> None:
    network = Network("dead.example", timeout=0.3)  # in which one that is honest is answered, too
    fetcher = AsyncFetcher(network, at_once=1)

    async def ask() -> None:
        try:
            for number in range(2):
                with pytest.raises(FetchFailed, match=r"within 0\.3 seconds"):
                    await fetcher(get(f"https://{number}.dead.example/"))
        finally:
            network.go_on.set()
        answer = await AsyncFetcher(network)(get("https://honest.example/"))
        assert answer.status == 200

    anyio.run(ask)
    assert "https://1.dead.example/" not in network.asked


def test_what_is_posted_is_never_shared() -> None:
    network = Network()
    fetcher = AsyncFetcher(network)

    async def ask() -> None:
        await asyncio.gather(*(fetcher(Outgoing("POST", "https://a.example/", (), b"a")) for _ in range(3)))

    anyio.run(ask)
    assert len(network.asked) == 3


def test_what_is_read_by_somebody_in_particular_is_never_shared() -> None:
    network = Network()

    for who in ("a", "b"):
        network(Outgoing("GET", "https://a.example/", (("Authorization", f"Bearer {who}"),)))

    assert len(network.asked) == 2


def test_blocking_host_holds_few_threads_for_one_answer() -> None:
    network = Network("dead.example", at_once=8)
    with ThreadPoolExecutor(3) as threads:
        leading = threads.submit(network, get("https://dead.example/"))
        wait_until(lambda: bool(network.asked))
        flight, mine = network._flights.board(get("https://dead.example/"))
        joined = threads.submit(network, get("https://dead.example/"))
        wait_until(lambda: flight.waiting == 2)

        with pytest.raises(FetchFailed, match="enough requests wait"):
            network(get("https://dead.example/"))

        network.go_on.set()
        assert not mine
        assert leading.result(PATIENCE) == joined.result(PATIENCE)


def test_blocking_host_holds_few_threads_for_hosts_that_have_not_answered_however_many_are_named() -> None:
    """Each waits on a thread: strangers who name many hosts would hold all of them until they time out."""
    hosts = [f"{number}.example" for number in range(20)]
    network = Network(*hosts, timeout=60, at_once=8)
    with ThreadPoolExecutor(20) as threads:
        requests = [threads.submit(network, get(f"https://{host}/")) for host in hosts]
        wait_until(lambda: sum(request.done() for request in requests) >= 14)

        held = [request for request in requests if not request.done()]
        network.go_on.set()

        assert len(held) == 6  # four are asked, and two wait
        assert {request.result(PATIENCE).status for request in held} == {200}
        for request in set(requests) - set(held):
            with pytest.raises(FetchFailed, match="enough requests wait"):
                request.result(PATIENCE)


def test_blocking_host_waits_for_its_turn_no_longer_than_for_an_answer() -> None:
    network = Network("dead.example", timeout=0.05, at_once=1)
    with ThreadPoolExecutor(1) as threads:
        leading = threads.submit(network, get("https://dead.example/"))
        wait_until(lambda: bool(network.asked))

        with pytest.raises(FetchFailed, match="not this request's turn"):
            network(get("https://other.example/"))

        network.go_on.set()
        assert leading.result(PATIENCE).status == 200


def test_failure_is_told_to_all_who_wait() -> None:
    failing = Fetcher(resolve=lambda host, port: ["127.0.0.1"])

    for _ in range(2):
        with pytest.raises(FetchFailed, match="Forbidden"):
            failing(get("https://inside.example/"))


def test_answer_can_be_had_for_a_moment_longer_and_not_for_ever() -> None:
    now = [0.0]
    flights = Flights(lambda: now[0])
    flight, _ = flights.board(get("https://a.example/"))
    flights.land(flight, Response(200))

    at_once = flights.board(get("https://a.example/"))
    now[0] += LINGER
    later = flights.board(get("https://b.example/"))

    assert at_once == (flight, False)
    assert later[1]
    assert list(flights._flights) == [get("https://b.example/")]


def test_thread_that_is_interrupted_leaves_its_lane_and_those_who_wait() -> None:
    class Interrupted(Network):
        def send(self, request: Outgoing) -> Response:  # type: ignore[explicit-override]  # typing.override is 3.12's
            raise KeyboardInterrupt

    network = Interrupted(at_once=1)

    for number in range(3):
        with pytest.raises(KeyboardInterrupt):
            network(get(f"https://a.example/{number}"))

    with pytest.raises(FetchFailed, match="given up"):
        network(get("https://a.example/0"))
    assert network._lanes._busy == {}
