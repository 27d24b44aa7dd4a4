"""Ports for servers that can't be told to take any free one and say which it is."""

from __future__ import annotations

import socket


def free_port(number: int = 0) -> int:
    """Return a port of the loopback interface for a server that is about to start: that one, or any that is free.

    Between this and that start somebody else could be given it. So a connection to it is made and ended, by the side
    that listened first, whose port then is in TIME_WAIT for a minute. In that state the system gives it neither to who
    binds to port 0 nor to who connects to somewhere, while a server that sets SO_REUSEADDR, as all here do, may listen
    on it. Raises `OSError` where that port isn't free.
    """
    with socket.create_server(("127.0.0.1", number)) as listening:
        port: int = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 10):
            accepted, _ = listening.accept()
            accepted.close()
        return port
