"""The command line: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import platform
import pstats
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import attrs

from benchmarks.contest import Result, measure, table, verdicts
from benchmarks.floor import Floor
from benchmarks.operations import OPERATIONS, Contestant, Operation
from benchmarks.ours import Oauthcore
from benchmarks.peer_aioauth import Aioauth
from benchmarks.peer_authlib import Authlib
from benchmarks.peer_oauthlib import Oauthlib
from benchmarks.verify import verify
from benchmarks.wire import serialised

PROFILED_REQUESTS = 5000


def main() -> None:
    """Verify, measure, print."""
    options = _options()
    operations = [one for one in OPERATIONS if options.only in (None, one.name)]
    if options.profile is not None:
        profile(next(one for one in OPERATIONS if one.name == options.profile))
        return
    contestants: list[Contestant] = [
        Floor(serialised),
        Oauthcore(),
        Aioauth(),
        Authlib(),
        Oauthlib(),
        Authlib(our_mint=True),
        Oauthlib(our_mint=True),
    ]
    for contestant in contestants:
        verify(contestant)
    results = []
    for operation in operations:
        print(f"{operation.name} ...", file=sys.stderr)
        results.append(measure(operation, contestants, options.seconds))
    print(table(results))
    if options.json is not None:
        options.json.write_text(json.dumps(report(results, options.seconds), indent=2) + "\n")


def _options() -> argparse.Namespace:
    names = [operation.name for operation in OPERATIONS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time oauthcore beside its peers.")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each operation, preparation included")
    parser.add_argument("--only", choices=names, help="measure this operation alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--profile", choices=names, help="print where oauthcore's time goes, instead")
    return parser.parse_args()


def report(results: list[Result], seconds: float) -> dict[str, object]:
    """Return everything that a later run could be compared with."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {name: _version(name) for name in ("oauthcore", "aioauth", "Authlib", "oauthlib")},
        "seconds": seconds,
        "microseconds": {
            result.operation: {name: attrs.asdict(figures) for name, figures in result.figures.items()}
            for result in results
        },
        "verdicts": {result.operation: [attrs.asdict(one) for one in verdicts(result)] for result in results},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def profile(operation: Operation) -> None:
    """Print what oauthcore's answers to that operation spend, by the time spent in each function itself."""
    ours = Oauthcore()
    verify(ours)
    ours.forget()
    requests = [operation.prepare(ours) for _ in range(PROFILED_REQUESTS)]
    answer = operation.timed(ours)
    gc.collect()
    profiler = cProfile.Profile()
    profiler.enable()
    for request in requests:
        answer(request)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
