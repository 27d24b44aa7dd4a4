"""Crowds: whoever connects and says nothing, or speaks slowly on purpose, keeps nobody out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from oauthcore import Request, Response
from oauthcore_h11 import Server, Settings, Timeouts
from oauthcore_h11.connection import Phase
from oauthcore_h11.listeners import raise_open_files
from oauthcore_h11.loopback import port_of
from oauthcore_h11.places import Places

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PATIENT = Timeouts(idle=3_600, head=3_600, body=3_600, write=3_600, linger=0, wait=60)
OK = Response(200, (), b"fine")


@asynccontextmanager
async def serving(connections: int, timeouts: Timeouts = PATIENT) -> AsyncIterator[int]:
    """Serve, with so many places; give the port."""

    async def fine(request: Request) -> Response:
        return OK

    listening = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    port = port_of(listening)
    server = Server(fine, Settings(timeouts=timeouts, connections=connections))
    await server.start([listening])
    try:
        yield port
    finally:
        await server.stop(grace=0)


async def says(port: int, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    return reader, writer


async def answered(port: int) -> bytes:
    reader, writer = await says(port, GET)
    answer = await reader.read(-1)
    writer.close()
    return answer


async def close(*crowd: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    for _, writer in crowd:
        writer.close()


@pytest.mark.slow
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nX-Slow: "], ids=["idle", "slow"])
async def test_a_thousand_who_say_nothing_or_speak_slowly_stop_no_thousand_who_ask(begun: bytes) -> None:
    assert raise_open_files() > 4_096
    async with serving(connections=1_000) as port:
        crowd = [await says(port, begun) for _ in range(1_000)]

        answers = await asyncio.gather(*(answered(port) for _ in range(1_000)))

        assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answers)
        await close(*crowd)


async def test_the_longest_idle_gives_way_first_and_hears_nothing() -> None:
    async with serving(connections=2) as port:
        first, second = await says(port, b""), await says(port, b"")
        assert (await answered(port)).startswith(b"HTTP/1.1 200 ")

        assert await first[0].read(-1) == b""
        second[1].write(GET)
        assert (await second[0].read(-1)).startswith(b"HTTP/1.1 200 ")
        await close(first, second)


class Visitor:
    """Be a guest who waits for something, or is being answered."""

    def __init__(self, waits_for: tuple[Phase, float] | None) -> None:
        self.waits_for = waits_for
        self.asked_to_leave = 0

    def give_way(self) -> None:
        """Remember that he was asked."""
        self.asked_to_leave += 1


async def test_who_is_being_answered_is_never_asked_to_leave() -> None:
    places, busy = Places(1, wait=0), Visitor(None)
    await places.take(busy)

    assert await places.take(Visitor(None)) is False

    assert busy.asked_to_leave == 0


async def test_idle_ones_leave_before_slow_ones_and_slow_ones_before_fresh_ones() -> None:
    now = asyncio.get_running_loop().time()
    fresh, slow = Visitor((Phase.HEAD, now)), Visitor((Phase.BODY, now - 5))
    slower, idle = Visitor((Phase.HEAD, now - 9)), Visitor((Phase.IDLE, now))
    guests = (fresh, slow, slower, idle)
    places = Places(4, wait=0.01)
    for guest in guests:
        await places.take(guest)

    await asyncio.gather(*(places.take(Visitor(None)) for _ in range(4)))

    assert [guest.asked_to_leave for guest in guests] == [0, 1, 1, 1]


async def test_a_place_that_is_given_back_goes_to_who_waited_longest() -> None:
    places, guest, first, second = Places(1, wait=60), Visitor(None), Visitor(None), Visitor(None)
    await places.take(guest)
    waiting = [asyncio.ensure_future(places.take(one)) for one in (first,)]
    await asyncio.wait(waiting, timeout=0)

    assert await places.take(second) is False  # as many wait as there are places
    places.leave(guest)

    assert await waiting[0] is True
    places.leave(first)
    assert await places.take(second) is True


async def test_whoever_finds_no_place_in_time_is_turned_away() -> None:
    """RFC 9110 section 15.6.4."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        asked.set()
        await go_on.wait()
        return OK

    listening = socket.create_server(("127.0.0.1", 0))
    port = port_of(listening)
    server = Server(slow, Settings(timeouts=Timeouts(wait=0, linger=0), connections=1))
    await server.start([listening])
    busy = await says(port, GET)
    await asked.wait()

    refused = await answered(port)
    go_on.set()

    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in refused
    assert (await busy[0].read(-1)).startswith(b"HTTP/1.1 200 ")
    await close(busy)
    await server.stop(grace=0)
