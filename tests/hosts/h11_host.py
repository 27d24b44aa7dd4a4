"""The h11 server as a process of its own, as the others are: `python -m tests.hosts.h11_host PORT [example]`."""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial

from oauthcore_h11 import Server
from oauthcore_h11.loopback import listen
from oauthcore_h11.settings import Settings
from tests.hosts.site import h11, h11_example, too_large


async def serve(port: int, *which: str) -> None:
    """Serve until told to end."""
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    example = "example" in which
    server = Server(h11_example if example else h11, Settings(too_large=partial(too_large, example=example)))
    await server.start(listen("127.0.0.1", port))
    await end.wait()
    await server.stop()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
