"""`oauthcore demo`: the quick start, in memory."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from cyclopts import Parameter

from oauthcore.wire.text import ascii_lower
from oauthcore_h11 import announcement
from oauthcore_h11.cli.in_memory import serve_until_signal
from oauthcore_h11.demo import make_demo
from oauthcore_h11.known_hosts import KnownHosts
from oauthcore_h11.loopback import LOCALHOST, listen, port_of
from oauthcore_h11.transport import Server


def demo(
    *,
    port: int = 8000,
    host: str = LOCALHOST,
    json: Annotated[bool, Parameter(negative="")] = False,
    legacy: Annotated[bool, Parameter(negative="")] = False,
    mcp: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Serve the quick start in memory, on the loopback interface only.

    Parameters
    ----------
    port
        The port to listen on; 0 for any that is free.
    host
        The loopback host to listen on: localhost (IPv4 and IPv6), ::1 or an address in 127.0.0.0/8.
    json
        Print one line of JSON with the issuer and the endpoints, once it listens.
    legacy
        Offer what OAuth 2.1 has left out, too: the password and the implicit grant, with a client for them.
    mcp
        Serve a protected MCP endpoint as well, and let its clients register themselves.
    """
    sockets = listen(host, port)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    served = make_demo(ascii_lower(host).strip("[]"), port_of(sockets[0]), legacy=legacy, mcp=mcp)
    greeting = announcement.for_programs(served) if json else announcement.for_people(served)
    asyncio.run(serve_until_signal(Server(KnownHosts(served)), sockets, greeting))
