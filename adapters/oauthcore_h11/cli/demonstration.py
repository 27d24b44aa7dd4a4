"""`oauthcore demo`: the quick start, in memory."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from cyclopts import Parameter

from oauthcore.wire.text import ascii_lower
from oauthcore_h11 import announcement
from oauthcore_h11.cli.in_memory import serve_until_signal
from oauthcore_h11.cli.options import ListeningJson, LoopbackHost, Port
from oauthcore_h11.demo import make_demo
from oauthcore_h11.known_hosts import KnownHosts
from oauthcore_h11.loopback import LOCALHOST, listen, port_of
from oauthcore_h11.transport import Server


def demo(
    *,
    port: Port = 8000,
    host: LoopbackHost = LOCALHOST,
    as_json: ListeningJson = False,
    legacy: Annotated[bool, Parameter(negative="")] = False,
    mcp: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Serve the quick start in memory, on the loopback interface only.

    Parameters
    ----------
    legacy
        Also offer what OAuth 2.1 has removed, the password and the implicit grant, and a client for them.
    mcp
        Also serve a protected MCP endpoint, and let its clients register themselves.
    """
    sockets = listen(host, port)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    served = make_demo(ascii_lower(host).strip("[]"), port_of(sockets[0]), legacy=legacy, mcp=mcp)
    greeting = announcement.for_programs(served) if as_json else announcement.for_people(served)
    asyncio.run(serve_until_signal(Server(KnownHosts(served)), sockets, greeting))
