"""Crowds: whoever connects and says nothing, speaks slowly on purpose or does not read, keeps nobody out."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import attrs
import pytest

from oauthcore import Request, Response
from oauthcore_h11 import Server, Settings, Timeouts, TrustedProxies
from oauthcore_h11.certificates import tls_of
from oauthcore_h11.configuration.tables import Tls
from oauthcore_h11.connection import Phase
from oauthcore_h11.connection_limit import ConnectionLimit
from oauthcore_h11.conversation import Conversation
from oauthcore_h11.listeners import raise_open_files
from oauthcore_h11.loopback import port_of
from oauthcore_h11.transport import log_unreadable
from tests.h11.test_tls import write_certificate

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PATIENT = Timeouts(idle=3_600, head=3_600, body=3_600, write=3_600, linger=0, wait=60)
OK = Response(200, (), b"fine")
# More than the small buffers here hold together with what asyncio takes before it says that it is too much.
LARGE = Response(200, (), b"x" * 150_000)
# Less than that.
LENGTHY = Response(200, (), b"x" * 50_000)
# All of 127.0.0.0/8 is this machine's: so a test has as many addresses as it wants.
HERE, THERE = "127.0.0.1", "127.0.0.2"


@asynccontextmanager
async def serving(
    connections: int,
    timeouts: Timeouts = PATIENT,
    *,
    per_address: int | None = None,
    tls: ssl.SSLContext | None = None,
    proxies: TrustedProxies | None = None,
) -> AsyncIterator[int]:
    """Serve, with so many places, as many of them for one address unless a test says otherwise; give the port."""

    async def fine(request: Request) -> Response:
        return LARGE if request.path == "/large" else OK

    listening = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least there is; the accepted ones have it, too
    port = port_of(listening)
    settings = Settings(
        timeouts=timeouts,
        connections=connections,
        connections_per_address=per_address or connections,
        proxies=proxies or TrustedProxies(),
    )
    server = Server(fine, settings)
    await server.start([listening], tls)
    try:
        yield port
    finally:
        await server.stop(grace=0)


async def says(port: int, data: bytes, address: str = HERE) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(data)
    await writer.drain()
    return reader, writer


async def idles(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Have one request answered, and then say nothing."""
    reader, writer = await says(port, GET.replace(b"Connection: close\r\n", b""))
    await reader.readuntil(b"fine")
    return reader, writer


async def answered(port: int, address: str = HERE) -> bytes:
    reader, writer = await says(port, GET, address)
    answer = await reader.read(-1)
    writer.close()
    return answer


async def asks_and_does_not_read(port: int, address: str = HERE) -> socket.socket:
    """Ask for what no buffer holds, and have the smallest buffer there is for it."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    asking.setblocking(False)
    asking.bind((address, 0))
    loop = asyncio.get_running_loop()
    await loop.sock_connect(asking, ("127.0.0.1", port))
    await loop.sock_sendall(asking, GET.replace(b"/", b"/large", 1))
    return asking


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


@pytest.mark.slow
async def test_a_thousand_who_do_not_read_their_answers_stop_nobody_who_asks() -> None:
    assert raise_open_files() > 4_096
    async with serving(connections=1_000, timeouts=attrs.evolve(PATIENT, wait=30)) as port:
        crowd = [await asks_and_does_not_read(port) for _ in range(1_050)]

        answers = await asyncio.gather(*(answered(port) for _ in range(600)))

        assert [answer for answer in answers if not answer.startswith(b"HTTP/1.1 200 OK\r\n")] == []
        for one in crowd:
            one.close()


@pytest.mark.slow
async def test_a_thousand_from_one_address_do_not_slow_down_anybody_elsewhere() -> None:
    """With no time to wait at all: there is always a place for the others."""
    assert raise_open_files() > 4_096
    async with serving(connections=1_000, timeouts=attrs.evolve(PATIENT, wait=0), per_address=100) as port:
        crowd = [await asks_and_does_not_read(port) for _ in range(1_050)]

        answers = [await answered(port, THERE) for _ in range(600)]

        assert [answer for answer in answers if not answer.startswith(b"HTTP/1.1 200 OK\r\n")] == []
        for one in crowd:
            one.close()


async def test_the_longest_idle_gives_way_first_and_hears_nothing() -> None:
    async with serving(connections=2) as port:
        first, second = await idles(port), await idles(port)
        assert (await answered(port)).startswith(b"HTTP/1.1 200 ")

        assert await first[0].read(-1) == b""
        second[1].write(GET)
        assert (await second[0].read(-1)).startswith(b"HTTP/1.1 200 ")
        await close(first, second)


@pytest.mark.slow
async def test_who_does_not_read_gives_way_and_is_hung_up_on() -> None:
    async with serving(connections=1) as port:
        slow = await asks_and_does_not_read(port)

        assert (await answered(port)).startswith(b"HTTP/1.1 200 ")
        slow.close()


@pytest.mark.slow
async def test_who_does_not_close_gives_way() -> None:
    timeouts = attrs.evolve(PATIENT, linger=3_600)
    async with serving(connections=1, timeouts=timeouts) as port:
        reader, writer = await says(port, GET)
        assert (await reader.read(-1)).endswith(b"fine")

        assert (await answered(port)).startswith(b"HTTP/1.1 200 ")
        writer.close()


@pytest.mark.slow
async def test_who_does_not_finish_the_handshake_is_counted_and_gives_way(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    tls = tls_of(Tls(certificate=tmp_path / "certificate.pem", key=tmp_path / "key.pem"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with serving(connections=1, tls=tls) as port:
        silent = await says(port, b"")

        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        assert await silent[0].read(-1) == b""
        writer.write(GET)
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await close(silent)


async def test_address_has_its_share_and_others_have_theirs() -> None:
    """RFC 9110 section 15.6.4: whoever has more than their share is told to come again."""
    timeouts = attrs.evolve(PATIENT, wait=0)
    async with serving(connections=10, timeouts=timeouts, per_address=2) as port:
        # They have just begun to send, and so are not slow yet.
        first, second = await says(port, GET[:9]), await says(port, GET[:9])

        refused = await answered(port)
        served = await answered(port, THERE)

        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in refused
        assert served.startswith(b"HTTP/1.1 200 ")
        await close(first, second)


async def test_named_proxy_has_no_share_since_it_is_many() -> None:
    proxies = TrustedProxies((ip_network("127.0.0.0/8"),))
    async with serving(10, attrs.evolve(PATIENT, wait=0), per_address=1, proxies=proxies) as port:
        crowd = [await says(port, GET[:9]) for _ in range(9)]

        assert (await answered(port)).startswith(b"HTTP/1.1 200 ")
        await close(*crowd)


async def test_answer_that_nobody_reads_ends_with_its_conversation() -> None:
    """The event loop would hold what is left of it, and the connection, for as long as the client lives."""
    here, there = socket.socketpair()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    here.setblocking(False)
    there.setblocking(False)
    settings = Settings(timeouts=attrs.evolve(PATIENT, write=0.05))
    conversation = Conversation(here, None, answer_at_length, settings, lambda: 0.0, log_unreadable)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(there, GET)

    await conversation.run(None)
    conversation.abort()

    received = 0
    with suppress(ConnectionError):
        while piece := await loop.sock_recv(there, 65_536):
            received += len(piece)
    assert received < len(LENGTHY.body)
    there.close()


async def test_place_that_is_given_away_in_the_moment_its_time_is_over_is_an_ordinary_end() -> None:
    """asyncio refuses to change a timeout that has fired, until whoever waits has heard of it."""
    here, there = socket.socketpair()
    here.setblocking(False)
    settings = Settings(timeouts=attrs.evolve(PATIENT, idle=0))
    conversation = Conversation(here, None, nobody_asks, settings, lambda: 0.0, log_unreadable)
    task = asyncio.ensure_future(conversation.run(None))
    while conversation.waits_for is None:
        await asyncio.sleep(0)

    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failed.append(context))
    # Behind the timeout's own turn, and before the conversation's: whoever of these two was before the other.
    asyncio.get_running_loop().call_soon(conversation.give_way)
    await task

    assert failed == []

    conversation.abort()
    there.close()


async def nobody_asks(request: Request) -> Response:
    raise AssertionError("nobody asks for anything")


async def answer_at_length(request: Request) -> Response:
    return LENGTHY


@attrs.define(eq=False)
class Visitor:
    """Be a connection that waits for something, or is being answered."""

    waits_for: tuple[Phase, float] | None
    source: str | None = None
    times_asked: int = 0

    def give_way(self) -> None:
        """Remember that it was asked."""
        self.times_asked += 1


def limit_of(total: int, per_source: int | None = None, wait: float = 0.0) -> ConnectionLimit:
    return ConnectionLimit(total, per_source or total, wait)


async def test_who_is_being_answered_is_never_asked_to_leave() -> None:
    limit, busy = limit_of(1), Visitor(None)
    await limit.take(busy)

    assert await limit.take(Visitor(None)) is False

    assert busy.times_asked == 0


async def test_who_has_just_connected_has_a_moment_to_send_a_request() -> None:
    now = asyncio.get_running_loop().time()
    new, old = Visitor((Phase.FIRST, now)), Visitor((Phase.FIRST, now - 5))
    limit = limit_of(2, wait=0.2)
    await limit.take(new)
    await limit.take(old)

    await asyncio.gather(*(limit.take(Visitor(None)) for _ in range(2)))

    assert (new.times_asked, old.times_asked) == (0, 1)


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.FIRST, Phase.IDLE}, key=str))
async def test_idle_ones_leave_before_slow_ones_and_slow_ones_before_fresh_ones(phase: Phase) -> None:
    now = asyncio.get_running_loop().time()
    fresh, slow = Visitor((phase, now)), Visitor((phase, now - 5))
    slower, idle = Visitor((phase, now - 9)), Visitor((Phase.IDLE, now))
    admitted = (fresh, slow, slower, idle)
    limit = limit_of(4, wait=0.2)
    for visitor in admitted:
        await limit.take(visitor)

    asked = []
    for _ in range(3):
        await limit.take(Visitor(None))
        asked.append([visitor.times_asked for visitor in admitted])

    assert asked == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]]
    await asyncio.gather(*(limit.take(Visitor(None)) for _ in range(4)))
    assert [visitor.times_asked for visitor in admitted] == [0, 1, 1, 1]


async def test_a_place_that_is_given_back_goes_to_who_waited_longest() -> None:
    limit, visitor, first, second = limit_of(1, wait=60), Visitor(None), Visitor(None), Visitor(None)
    await limit.take(visitor)
    waiting = [asyncio.ensure_future(limit.take(one)) for one in (first,)]
    await asyncio.wait(waiting, timeout=0)

    assert await limit.take(second) is False  # as many wait as there are places
    limit.leave(visitor)

    assert await waiting[0] is True
    limit.leave(first)
    assert await limit.take(second) is True


async def test_source_with_its_share_makes_room_itself_and_not_at_others_cost() -> None:
    now = asyncio.get_running_loop().time()
    own, others = Visitor((Phase.IDLE, now), "here"), Visitor((Phase.IDLE, now - 9), "there")
    limit = limit_of(10, per_source=1)
    await limit.take(own)
    await limit.take(others)

    await limit.take(Visitor(None, "here"))

    assert (own.times_asked, others.times_asked) == (1, 0)


async def waiting_for(limit: ConnectionLimit, source: str | None) -> asyncio.Task[bool]:
    """Have one more wait."""
    waits = asyncio.ensure_future(limit.take(Visitor(None, source)))
    await asyncio.wait([waits], timeout=0)
    return waits


async def test_source_with_its_share_holds_up_nobody_else() -> None:
    limit, own, other = limit_of(2, per_source=1, wait=60), Visitor(None, "here"), Visitor(None, "there")
    await limit.take(own)
    waits = await waiting_for(limit, "here")

    assert await limit.take(other) is True
    elsewhere = await waiting_for(limit, "elsewhere")
    limit.leave(other)

    assert await elsewhere is True
    limit.leave(own)
    assert await waits is True


async def test_queue_that_is_full_is_shortened_for_whoever_has_least_in_it() -> None:
    limit, admitted = limit_of(3, wait=60), [Visitor(None, str(number)) for number in range(3)]
    for visitor in admitted:
        await limit.take(visitor)
    crowd = [await waiting_for(limit, "here") for _ in range(3)]

    first, second = await waiting_for(limit, "there"), await waiting_for(limit, "elsewhere")

    assert await limit.take(Visitor(None, "here")) is False
    assert [await one for one in crowd[1:]] == [False, False]
    for visitor in admitted:
        limit.leave(visitor)
    assert [await crowd[0], await first, await second] == [True, True, True]


async def test_proxy_loses_nothing_in_the_queue_for_having_most_there() -> None:
    limit, admitted = limit_of(1, wait=60), Visitor(None)
    await limit.take(admitted)
    waits = await waiting_for(limit, None)

    assert await limit.take(Visitor(None, "here")) is False
    limit.leave(admitted)

    assert await waits is True


async def test_limits_that_are_raised_let_in_who_waits() -> None:
    limit = limit_of(1, wait=60)
    await limit.take(Visitor(None))
    waits = asyncio.ensure_future(limit.take(Visitor(None)))
    await asyncio.wait([waits], timeout=0)

    limit.change(2, 2, 60)

    assert await waits is True


async def test_whoever_finds_no_place_in_time_is_turned_away() -> None:
    """RFC 9110 section 15.6.4."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        asked.set()
        await go_on.wait()
        return OK

    listening = socket.create_server(("127.0.0.1", 0))
    port = port_of(listening)
    settings = Settings(timeouts=Timeouts(wait=0, linger=0), connections=1)
    server = Server(slow, settings)
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
