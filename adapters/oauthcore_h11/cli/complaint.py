"""How the command line says that something is wrong: one line, and an exit status."""

from __future__ import annotations

import sys
from typing import NoReturn


def complain(sentence: str, status: int) -> NoReturn:
    """Print one line that says what is wrong, and exit."""
    sys.stderr.write(f"oauthcore: {' '.join(sentence.split())}\n")
    sys.exit(status)
