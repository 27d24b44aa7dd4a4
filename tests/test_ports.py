"""What is said of a free port stays so until its server has started."""

from __future__ import annotations

import socket
from contextlib import closing

from tests.ports import free_port

TIMES = 300


def test_a_port_that_is_free_is_given_to_nobody_else_meanwhile() -> None:
    ours = {free_port() for _ in range(TIMES)}
    others = set()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for _ in range(TIMES):
            with (
                socket.create_server(("127.0.0.1", 0)) as bound,
                socket.create_connection(listening.getsockname()) as out,
            ):
                listening.accept()[0].close()
                others |= {bound.getsockname()[1], out.getsockname()[1]}

    assert len(ours) == TIMES
    assert not ours & others


def test_a_server_may_listen_on_it_at_once() -> None:
    with closing(socket.create_server(("127.0.0.1", free_port()))) as listening:
        socket.create_connection(listening.getsockname(), 10).close()
