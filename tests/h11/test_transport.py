"""The transport over real sockets: what it waits for and how long, how it fails, how it stops."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from oauthcore import Request, Response
from oauthcore_h11 import Application, Limits, Server, Settings, Timeouts
from oauthcore_h11.loopback import port_of

pytestmark = pytest.mark.anyio

GET = b"GET /login?code=hush HTTP/1.1\r\nHost: localhost\r\n\r\n"
GET_AND_CLOSE = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
OK = Response(200, (("Content-Type", "text/plain"),), b"fine")
# What never comes is waited for for ever: a test that needs it hangs, and so is seen.
PATIENT = Timeouts(idle=3_600, head=3_600, body=3_600, write=3_600, linger=3_600)


async def fine(request: Request) -> Response:
    return OK


class Client:
    """Talk to a server in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def says(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hears(self) -> bytes:
        """Hear one answer with a body of stated length."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        return head + await self.reader.readexactly(length)

    async def hears_all(self) -> bytes:
        """Hear everything until the server has closed."""
        return await self.reader.read(-1)

    async def closes(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@asynccontextmanager
async def serving(
    application: Application, timeouts: Timeouts = PATIENT, limits: Limits | None = None
) -> AsyncIterator[tuple[Server, Callable[[], Awaitable[Client]]]]:
    """Serve on a free port; give the server and a way to become its client."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = port_of(listening)
    server = Server(application, Settings(timeouts=timeouts, limits=limits or Limits()))
    await server.start([listening])
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
        return clients[-1]

    try:
        yield server, connect
    finally:
        for client in clients:
            client.writer.close()
        await server.stop(grace=0)


async def test_requests_on_one_connection_are_answered_in_order() -> None:
    async def echo(request: Request) -> Response:
        return Response(200, (), request.body)

    async with serving(echo) as (_, connect):
        client = await connect()
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
        await client.says(post + b"1" + post + b"2")
        await client.says(post + b"3")
        bodies = [(await client.hears())[-1:] for _ in range(3)]

    assert bodies == [b"1", b"2", b"3"]


async def test_connection_is_closed_after_the_last_answer() -> None:
    async with serving(fine) as (_, connect):
        client = await connect()
        await client.says(GET_AND_CLOSE)
        answer = await client.hears_all()

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"fine")


async def test_application_that_fails_is_a_500_and_a_log_record(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Response:
        raise RuntimeError("out of order")

    async with serving(broken) as (_, connect):
        client = await connect()
        await client.says(GET)
        answer = await client.hears()
        await client.says(GET)
        again = await client.hears()

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert again.startswith(b"HTTP/1.1 500 ")
    assert b"out of order" not in answer
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "GET /login: the application failed")
    ] * 2
    assert "RuntimeError: out of order" in caplog.text


async def test_response_that_can_not_be_sent_is_a_500_and_its_header_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def splitting(request: Request) -> Response:
        return Response(303, (("Location", "/?code=hush\r\nSet-Cookie: a=b"),))

    async with serving(splitting) as (_, connect):
        client = await connect()
        await client.says(GET)
        answer = await client.hears()

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in answer
    assert "UnsendableResponse" in caplog.text
    assert "hush" not in caplog.text


async def test_idle_connection_is_closed_in_silence() -> None:
    async with serving(fine, Timeouts(idle=0)) as (_, connect):
        client = await connect()

        assert await client.hears_all() == b""


async def test_connection_that_is_idle_again_is_closed_in_silence() -> None:
    timeouts = Timeouts(idle=0.05, head=3_600, body=3_600)
    async with serving(fine, timeouts) as (_, connect):
        client = await connect()
        await client.says(GET)
        answer = await client.hears_all()

    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b"fine")


@pytest.mark.parametrize(
    ("timeouts", "begun"),
    [
        (Timeouts(head=0), b"GET / HTTP/1.1\r\n"),
        (Timeouts(body=0), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na"),
    ],
    ids=["headers", "body"],
)
async def test_request_that_takes_too_long_to_arrive_is_refused(timeouts: Timeouts, begun: bytes) -> None:
    async with serving(fine, timeouts) as (_, connect):
        client = await connect()
        await client.says(begun)
        answer = await client.hears_all()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_phase_is_not_prolonged_by_a_trickle_of_bytes() -> None:
    """Slowloris: each read has what is left of the phase, not a time of its own."""
    async with serving(fine, Timeouts(head=0.2)) as (_, connect):
        client = await connect()
        await client.says(b"GET / HTTP/1.1\r\nX: ")
        observed = asyncio.ensure_future(client.hears_all())
        while not observed.done():
            await client.says(b"x")
            await asyncio.wait([observed], timeout=0.02)

    assert (await observed).startswith(b"HTTP/1.1 408 ")


async def test_client_that_does_not_read_is_hung_up_on() -> None:
    gone = asyncio.Event()

    async def endless(request: Request) -> Response:
        gone.set()
        return Response(200, (), b"x" * 50_000_000)

    async with serving(endless, Timeouts(write=0)) as (_, connect):
        client = await connect()
        await client.says(GET)
        await gone.wait()

        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.hears()


async def test_client_that_hangs_up_within_a_request_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        asked.set()
        await hung_up.wait()
        return OK

    async with serving(slow) as (server, connect):
        client = await connect()
        await client.says(GET)
        await asked.wait()
        client.writer.transport.abort()
        hung_up.set()
        await server.stop(grace=30)

    assert caplog.records == []


async def test_too_long_a_body_is_refused_though_the_client_goes_on_sending() -> None:
    """RFC 9112 section 9.6: closing at once would reset the connection, and lose the answer."""
    async with serving(fine, limits=Limits(body=10)) as (_, connect):
        client = await connect()
        await client.says(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
        answer = await client.hears_all()
        await client.closes()

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_client_that_never_closes_is_not_waited_for() -> None:
    async with serving(fine, Timeouts(linger=0)) as (server, connect):
        client = await connect()
        await client.says(GET_AND_CLOSE)
        answer = await client.hears_all()

        async with asyncio.timeout(60):
            await server.stop(grace=3_600)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_stopping_hangs_up_on_the_idle_and_lets_the_busy_finish() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        asked.set()
        await go_on.wait()
        return OK

    async with serving(slow, Timeouts(linger=0)) as (server, connect):
        idle, busy = await connect(), await connect()
        await busy.says(GET + GET)
        await asked.wait()
        stopped = asyncio.ensure_future(server.stop(grace=3_600))
        assert await idle.hears_all() == b""
        go_on.set()
        answer = await busy.hears_all()
        await stopped

    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"\r\nConnection: close\r\n" in answer


async def test_stopping_waits_no_longer_than_its_grace() -> None:
    asked = asyncio.Event()

    async def stuck(request: Request) -> Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async with serving(stuck) as (server, connect):
        client = await connect()
        await client.says(GET)
        await asked.wait()

        await server.stop(grace=0)

        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.hears()


async def test_nobody_is_accepted_after_stopping() -> None:
    async with serving(fine) as (server, connect):
        await server.stop()

        with pytest.raises(ConnectionError):
            await connect()
