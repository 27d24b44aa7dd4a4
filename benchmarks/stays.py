"""How often the reader of a request has to open another module: `python -m benchmarks.stays`.

A *stay* is an unbroken run of calls within one module of the core, and a *turn* a stay in a module that was left
before. Who follows a request through the code opens as many files as it has stays, and goes back as often as it has
turns; a request that runs downhill has few of them. Counted are the calls of functions that are written down in the
core: what attrs generates has nothing to be read, a comprehension is read where it stands, and a generator that goes on
has been opened before.

Nothing is timed, so two runs of one tree say the same.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import groupby
from types import FrameType

from benchmarks.operations import OPERATIONS, Operation
from benchmarks.ours import Oauthcore

# The rest carries values to and fro, and is the same in every request.
DECIDES = re.compile(r"oauthcore\.(authorization|clients|endpoints|grants|oidc|resource|revocation)\.")


COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


def modules_called(call: Callable[[], object]) -> list[str]:
    """Return the module of each function of the core that is called, in the order of the calls."""
    modules: list[str] = []
    seen: set[FrameType] = set()

    def see(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_globals.get("__name__", "")
        is_read = not frame.f_code.co_filename.startswith("<") and frame.f_code.co_name not in COMPREHENSIONS
        is_ours = name.startswith("oauthcore.") and is_read
        if event == "call" and is_ours and frame not in seen:
            seen.add(frame)  # kept, so that no later frame is taken for this one
            modules.append(name)

    sys.setprofile(see)
    try:
        call()
    finally:
        sys.setprofile(None)
    return modules


def stays(operation: Operation, ours: Oauthcore) -> list[str]:
    """Return where one request stays, in order; one like it has gone before, so that caches are filled."""
    first, second = operation.prepare(ours), operation.prepare(ours)
    answer = operation.timed(ours)
    answer(first)
    return [module for module, _ in groupby(modules_called(lambda: answer(second)))]


def counted(way: list[str]) -> str:
    """Return how many stays, modules and turns there are."""
    return f"{len(way):8}{len(set(way)):9}{len(way) - len(set(way)):8}"


def main() -> None:
    """Print the counts, in the whole core and in what decides; with `-v` the latter way, too."""
    ours = Oauthcore()
    print(f"{'':20}{'the whole core':>25}{'what decides':>27}")
    print(f"{'':20}" + f"{'stays':>8}{'modules':>9}{'turns':>8}" * 2)
    for operation in OPERATIONS:
        way = stays(operation, ours)
        deciding = [module for module, _ in groupby(module for module in way if DECIDES.match(module))]
        print(f"{operation.name:20}{counted(way)}{counted(deciding)}")
        if "-v" in sys.argv[1:]:
            print("    " + " > ".join(module.removeprefix("oauthcore.") for module in deciding))


if __name__ == "__main__":
    main()
