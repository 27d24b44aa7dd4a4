"""The bytes of one connection, for a task that reads them or writes them: what has come, and what is still to go.

Not asyncio's streams: these wait in a coroutine of their own for each read and each write, and whoever limits how long
that may take needs a timeout around each. Here nothing waits. `change` is for whoever finds that there is nothing to
read, or no room to write.
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
        """Send, or keep what the system does not take at once: then it `is_full` until the client has read enough.

        Raises `ConnectionError` where nobody is there any more.
        """
        if self.is_lost:
            raise ConnectionResetError("the connection is gone")
        self._transport.write(data)

    def change(self) -> asyncio.Future[None]:
        """Return what is done as soon as anything is otherwise than now; one at a time."""
        self._changed = asyncio.get_running_loop().create_future()
        return self._changed

    def write_end(self) -> bool:
        """Say that nothing more is sent, and go on reading; False where that can't be said, as in TLS."""
        if self.is_lost or not self._transport.can_write_eof():
            return False
        self._transport.write_eof()
        return True

    def close(self) -> None:
        """Close as soon as what is to be sent is sent."""
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
        """Stay open, where that is possible: what was asked is answered all the same."""
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
