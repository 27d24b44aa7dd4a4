"""One process's life, within the test's own event loop: what it does while requests are answered."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.configuration.tables import Configuration
from oauthcore_h11.loopback import port_of
from oauthcore_h11.serving import Process
from tests.processes import PATIENCE

pytestmark = pytest.mark.anyio


async def is_alive(port: int) -> bool:
    """Ask the process how it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answer = await reader.read(-1)
    writer.close()
    return answer.endswith(b"alive\n")


class Rereading:
    """Read a configuration again, for as long as a test says: it is another thread that waits for it."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.times = 0
        self.go_on = threading.Event()

    def __call__(self) -> Configuration:
        """Wait; and where this is the event loop's own thread, not for ever."""
        self.times += 1
        self.go_on.wait(PATIENCE)
        return self.configuration


async def test_reload_keeps_no_request_waiting_and_is_one_for_all_who_ask_meanwhile(tmp_path: Path) -> None:
    configuration = Configuration(folder=tmp_path, issuer="http://localhost", token_key=new_token_key())
    rereading, ready = Rereading(configuration), asyncio.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    port = port_of(listening)
    running = asyncio.ensure_future(Process(configuration, rereading, [listening]).run(ready.set))
    await ready.wait()

    try:
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGHUP)
            assert await is_alive(port)
        times_meanwhile = rereading.times
        rereading.go_on.set()
        while rereading.times < 2:
            assert await is_alive(port)
    finally:
        rereading.go_on.set()
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    assert (times_meanwhile, rereading.times) == (1, 2)
