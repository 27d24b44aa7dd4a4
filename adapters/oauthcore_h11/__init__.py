"""The reference server: HTTP/1.1 by h11 without I/O, asyncio below it, and the command line `oauthcore`."""

from oauthcore_h11.connection import Close, Connection, Limits, Refused, Send
from oauthcore_h11.peer import TrustedProxies
from oauthcore_h11.transport import Application, Server, Settings, Timeouts

__all__ = [
    "Application",
    "Close",
    "Connection",
    "Limits",
    "Refused",
    "Send",
    "Server",
    "Settings",
    "Timeouts",
    "TrustedProxies",
]
