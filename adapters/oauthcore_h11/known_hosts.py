"""Hosts by which a server for this machine alone is known; under any other name it answers nothing.

A page that a developer has open can have its own name point to the loopback interface (DNS rebinding). Their browser
then takes this server for the page's own site, and lets it read every response. The name is in `Host` (RFC 9110
section 7.2), which no page can set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import attrs

from oauthcore import Request, Response
from oauthcore.wire.text import ascii_lower
from oauthcore_h11.loopback import LOCALHOST

Application = Callable[[Request], Awaitable[Response]]

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


@attrs.frozen
class KnownHosts:
    """Answer requests to an application under its loopback names, and those in `names`."""

    application: Application
    names: frozenset[str] = frozenset()

    async def __call__(self, request: Request) -> Response:
        """Refuse a request for another host (RFC 9110 section 15.5.20)."""
        host = request.header("host")
        # A browser always sends one; HTTP/1.0 clients need not.
        if host is None or is_loopback(host) or ascii_lower(host) in self.names:
            return await self.application(request)
        text = "This server answers under the names of this machine alone, as localhost.\n"
        return Response(421, (_TEXT,), text.encode())


def is_loopback(host: str) -> bool:
    """Return whether a `Host` is a name of the loopback interface, at any port: a forwarded one is another."""
    try:
        name = ascii_lower(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    # RFC 6761 section 6.3: these never resolve to anything else.
    if name == LOCALHOST or name.endswith(f".{LOCALHOST}"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
