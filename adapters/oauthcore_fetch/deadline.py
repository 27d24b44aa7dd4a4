"""Connections with a deadline for the whole exchange, not a timeout after each byte.

A socket's own timeout is for each read, and begins again with each byte: a server that sends one every few seconds
could hold a thread for hours. Here each read gets the time that is left.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from time import monotonic
from typing import Any


class _Reading(io.RawIOBase):
    """Read from a socket until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:  # type: ignore[explicit-override]  # typing.override is 3.12's
        return True

    def readinto(self, buffer: Any) -> int | None:  # type: ignore[explicit-override]  # as above
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:  # type: ignore[explicit-override]  # as above
        self._raw.close()
        super().close()


class _Timed:
    """Stand for a socket where http.client makes a file of it."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a file that is read until the deadline."""
        return io.BufferedReader(_Reading(self._sock, self._deadline))


def until(deadline: float) -> Callable[..., HTTPResponse]:
    """Make what http.client reads an answer with (`HTTPConnection.response_class`)."""
    return partial(_response, deadline)  # not a function, which the class would make a method of


def _response(deadline: float, sock: socket.socket, *arguments: Any, **named: Any) -> HTTPResponse:
    return HTTPResponse(_Timed(sock, deadline), *arguments, **named)  # type: ignore[arg-type]  # all it asks is a file
