"""The command line, but that a password is looked at when a test says so: once it has opened and closed the named pipe.

Run as a program of its own, with GATE naming the pipe.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from oauthcore_h11 import assembly
from oauthcore_h11.cli import main
from oauthcore_h11.passwords import Passwords


class Gated(Passwords):
    """Wait for a test."""

    async def verify(self, *what: Any, **how: Any) -> bool:  # type: ignore[explicit-override]  # 3.12 has typing.override
        """Return whether that is the password, as soon as the test says so."""
        await asyncio.to_thread(Path(os.environ["GATE"]).read_bytes)
        return await super().verify(*what, **how)


if __name__ == "__main__":
    assembly.Passwords = Gated  # type: ignore[attr-defined]  # from another process there is no other way in
    sys.exit(main())
