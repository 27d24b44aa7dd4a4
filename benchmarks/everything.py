"""All measurements, one after the other: `nox -s bench`, or `python -m benchmarks.everything [NAME ...]`.

Each is a process of its own, and says in its module's docstring what it claims and what came of it. One that fails, or
takes longer than `LIMIT`, is named at the end, and the others are made all the same. Other programs disturb: how many
wanted a processor when each began and ended (the load of the last minute) stands beside its name.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from time import perf_counter

# What is measured, by the module that does it.
MEASUREMENTS = {
    "operations": ("benchmarks", "five operations in process, beside the floor and the peers"),
    "stays": ("benchmarks.stays", "how many modules a reader of each operation opens"),
    "transports": ("benchmarks.transports", "what carries them, beside bare h11 and node-oidc-provider"),
    "server": ("benchmarks.server", "the reference server as an operator runs it"),
    "signing": ("benchmarks.signing", "signatures, and what they cost the others in an event loop"),
    "dpop": ("benchmarks.dpop", "token requests with DPoP proofs, beside their signatures"),
    "storages": ("benchmarks.storages", "finds and commits, storage by storage"),
}
# Of seconds, for each of them; the longest takes about a minute and a half where nothing else runs.
LIMIT = 600.0


def measure(name: str) -> str | None:
    """Make one measurement, and return what went wrong, None if nothing."""
    module, subject = MEASUREMENTS[name]
    load, begun = os.getloadavg()[0], perf_counter()
    print(f"\n=== {name}: {subject}\n", flush=True)
    try:
        code = subprocess.run([sys.executable, "-m", module], check=False, timeout=LIMIT).returncode
    except subprocess.TimeoutExpired:
        return f"{name} took more than {LIMIT:.0f} seconds"
    print(f"\n{perf_counter() - begun:.0f} s; load {load:.1f} before and {os.getloadavg()[0]:.1f} after", flush=True)
    return f"{name} failed with exit code {code}" if code else None


def main() -> None:
    """Make all measurements, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everything", description="Measure everything.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; by default all of them"
    )
    names = parser.parse_args().names or list(MEASUREMENTS)
    if unknown := sorted(set(names) - set(MEASUREMENTS)):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(MEASUREMENTS)}")
    print(f"Python {sys.version.split()[0]} on {os.cpu_count()} cores", flush=True)
    failures = [failure for name in names if (failure := measure(name)) is not None]
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
