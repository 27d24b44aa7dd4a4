"""The bytes of one connection, for a task that reads and writes them: received bytes, and bytes still to be sent.

Not asyncio's streams: these wait in a coroutine for each read and each write, and a time limit needs a timeout around
each. Nothing waits here. `change` is set when there are bytes to read, or room to write.
"""

from __future__ import annotations

import asyncio
from typing import cast

# How much is taken before the client has to wait until it is read.
READ_SIZE = 64 * 1024


class ByteStream(asyncio.Protocol):
    """Hold the two directions of a connection, from when it is made."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._has_ended = False
        self._is_paused = False
        self._failure: Exception | None = None
        self._changed: asyncio.Future[None] | None = None
        self.is_full = False
        self.is_lost = False

    @property
    def is_readable(self) -> bool:
        """Return whether `read` has something to return, be it that nothing more will come."""
        return bool(self._received) or self._has_ended

    def read(self) -> bytes:
        """Return what has come, `b""` at the end; raises `ConnectionError` if the connection broke."""
        if self._failure is not None:
            raise ConnectionResetError("the connection broke") from self._failure
        data = bytes(self._received)
        self._received.clear()
        if self._is_paused and not self.is_lost:  # uvloop refuses to do anything with what is closed
            self._is_paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send, or buffer what the system does not accept at once; it then `is_full` until the client has read enough.

        Raises `ConnectionError` if the connection is closed.
        """
        if self.is_lost:
            raise ConnectionResetError("the connection is gone")
        self._transport.write(data)

    def change(self) -> asyncio.Future[None]:
        """Return what is done as soon as anything is otherwise than now; one at a time."""
        self._changed = asyncio.get_running_loop().create_future()
        return self._changed

    def write_end(self) -> bool:
        """Send the end of the stream, and continue reading; False if the transport can't, as in TLS."""
        if self.is_lost or not self._transport.can_write_eof():
            return False
        self._transport.write_eof()
        return True

    def close(self) -> None:
        """Close when everything has been sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # type: ignore[explicit-override]  # 3.12's
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no instances of it
        # What is written counts as read once the system has taken all of it: else a client that does not read is taken
        # for idle, and hung up on with an answer still to send. Not 0: at that, TLS stops before the first byte.
        self._transport.set_write_buffer_limits(high=1)

    def data_received(self, data: bytes) -> None:  # type: ignore[explicit-override]  # 3.12's
        self._received += data
        if len(self._received) > READ_SIZE and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> bool:  # type: ignore[explicit-override]  # 3.12's
        """Stay open after the client's end of stream, if possible: its request is still answered."""
        self._has_ended = True
        self._tell()
        return self._transport.can_write_eof()

    def pause_writing(self) -> None:  # type: ignore[explicit-override]  # 3.12's
        self.is_full = True

    def resume_writing(self) -> None:  # type: ignore[explicit-override]  # 3.12's
        self.is_full = False
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:  # type: ignore[explicit-override]  # 3.12's
        self.is_lost = self._has_ended = True
        self.is_full = False
        self._failure = exc
        self._tell()

    def _tell(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
