"""The reference server: HTTP/1.1 by h11 without I/O, asyncio below it, and the command line `oauthcore`."""

import sys
from pathlib import Path

try:
    from oauthcore_h11.connection import Close, Connection, Limits, Refused, Send
    from oauthcore_h11.conversation import Application
    from oauthcore_h11.peer import TrustedProxies
    from oauthcore_h11.settings import Settings, Timeouts
    from oauthcore_h11.transport import Server
except ModuleNotFoundError as missing:
    # The command is there with every installation, and what it needs is not.
    remedy = 'the command `oauthcore` and the reference server need the extra: pip install "oauthcore[server]"'
    said = f"{missing.name} is not installed; {remedy}"
    if Path(sys.argv[0]).stem == "oauthcore":  # the command itself, whose user did not ask for a traceback
        sys.stderr.write(f"oauthcore: {said}\n")
        raise SystemExit(2) from None
    raise ModuleNotFoundError(said, name=missing.name) from None

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
