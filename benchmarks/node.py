"""node-oidc-provider, the certified server of the Node world, installed for `transports.py` once for all runs.

What is installed is what `node_provider/package-lock.json` says, in the user's cache folder. It answers from its own
memory adapter, as its documentation has it for development, and is told as little as `hosts.py` tells ours.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "node_provider"


def command() -> list[str] | None:
    """Return what starts it, installed if it was not before; None where there is no Node, or no npm to install it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oauthcore-benchmarks"
    installed = cache / hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()[:16]
    if not installed.exists():
        # Under another name until it is whole: an installation may be broken off.
        unfinished = installed.with_suffix(f".{os.getpid()}")
        shutil.copytree(FOLDER, unfinished)
        install = (npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
        subprocess.run(install, cwd=unfinished, check=True)
        unfinished.rename(installed)
    # Node looks for modules beside the file.
    shutil.copy(FOLDER / "host.mjs", installed)
    return [node, str(installed / "host.mjs")]
