"""A connection's bytes: what is read, what is kept, and what whoever waits is told."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from oauthcore_h11.byte_stream import READ_SIZE, ByteStream

pytestmark = pytest.mark.anyio


class Wire(asyncio.Transport):
    """Remember what is asked of it."""

    def __init__(self, *, is_tls: bool = False) -> None:
        super().__init__()
        self.is_tls = is_tls
        self.asked: list[str | bytes] = []

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.asked.append(f"limit {high}")

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.asked.append(bytes(data))

    @override
    def can_write_eof(self) -> bool:
        return not self.is_tls

    @override
    def write_eof(self) -> None:
        self.asked.append("end")

    @override
    def pause_reading(self) -> None:
        self.asked.append("pause")

    @override
    def resume_reading(self) -> None:
        self.asked.append("resume")


def connected(wire: Wire) -> ByteStream:
    stream = ByteStream()
    stream.connection_made(wire)
    assert wire.asked.pop() == "limit 1"
    return stream


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def stream(wire: Wire) -> ByteStream:
    return connected(wire)


async def test_what_comes_in_pieces_is_read_at_once(stream: ByteStream) -> None:
    was_readable = [stream.is_readable]
    stream.data_received(b"a")
    stream.data_received(b"b")
    was_readable.append(stream.is_readable)

    assert stream.read() == b"ab"
    assert [*was_readable, stream.is_readable] == [False, True, False]


async def test_end_is_read_after_what_came_before_it(stream: ByteStream) -> None:
    stream.data_received(b"a")
    stays_open = stream.eof_received()

    assert stays_open
    assert [stream.read(), stream.read()] == [b"a", b""]
    assert stream.is_readable


async def test_tls_that_has_ended_is_over() -> None:
    assert connected(Wire(is_tls=True)).eof_received() is False


async def test_client_waits_while_nobody_reads_what_it_sent(stream: ByteStream, wire: Wire) -> None:
    stream.data_received(b"x" * READ_SIZE)
    assert wire.asked == []
    stream.data_received(b"x")
    stream.data_received(b"x")
    assert wire.asked == ["pause"]

    assert len(stream.read()) == READ_SIZE + 2

    assert wire.asked == ["pause", "resume"]


async def test_nothing_more_is_wanted_of_a_client_that_is_gone(stream: ByteStream, wire: Wire) -> None:
    stream.data_received(b"x" * (READ_SIZE + 1))
    stream.connection_lost(None)

    assert len(stream.read()) == READ_SIZE + 1
    assert wire.asked == ["pause"]


async def test_connection_that_broke_is_an_error_to_whoever_reads_or_writes(stream: ByteStream, wire: Wire) -> None:
    stream.data_received(b"a")
    stream.connection_lost(OSError("reset"))

    assert stream.is_readable
    with pytest.raises(ConnectionError):
        stream.read()
    with pytest.raises(ConnectionError):
        stream.write(b"a")
    assert wire.asked == []


async def test_connection_that_was_closed_can_be_read_to_its_end(stream: ByteStream) -> None:
    stream.data_received(b"a")
    stream.connection_lost(None)

    assert [stream.read(), stream.read()] == [b"a", b""]
    with pytest.raises(ConnectionError):
        stream.write(b"a")


async def test_end_is_said_where_it_can_be(stream: ByteStream, wire: Wire) -> None:
    assert stream.write_end() is True
    assert wire.asked == ["end"]
    assert connected(Wire(is_tls=True)).write_end() is False
    stream.connection_lost(None)
    assert stream.write_end() is False


async def test_stream_is_full_until_the_client_has_read_or_is_gone(stream: ByteStream) -> None:
    was_full = [stream.is_full]
    stream.pause_writing()
    was_full.append(stream.is_full)
    stream.resume_writing()
    was_full.append(stream.is_full)
    stream.pause_writing()
    stream.connection_lost(None)

    assert [*was_full, stream.is_full] == [False, True, False, False]


@pytest.mark.parametrize("what", ["data_received", "eof_received", "resume_writing", "connection_lost"])
async def test_whoever_waits_is_told_of_everything(stream: ByteStream, what: str) -> None:
    change = stream.change()

    match what:
        case "data_received":
            stream.data_received(b"a")
        case "eof_received":
            stream.eof_received()
        case "resume_writing":
            stream.resume_writing()
        case _:
            stream.connection_lost(None)

    assert change.done()


async def test_whoever_gave_up_waiting_is_not_told(stream: ByteStream) -> None:
    stream.change().cancel()

    stream.data_received(b"a")

    assert stream.read() == b"a"
