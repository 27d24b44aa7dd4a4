"""The reference server: HTTP/1.1 by h11 without I/O, asyncio below it, and the command line `oauthcore`."""

try:
    from oauthcore_h11.connection import Close, Connection, Limits, Refused, Send
    from oauthcore_h11.conversation import Application
    from oauthcore_h11.peer import TrustedProxies
    from oauthcore_h11.settings import Settings, Timeouts
    from oauthcore_h11.transport import Server
except ModuleNotFoundError as missing:
    # The command is there with every installation, and what it needs is not.
    remedy = 'the command `oauthcore` and the reference server need the extra: pip install "oauthcore[server]"'
    raise ModuleNotFoundError(f"{missing.name} is not installed; {remedy}", name=missing.name) from None

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
