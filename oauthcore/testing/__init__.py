"""The testing kit: fixed time and randomness, a scheduler that runs every interleaving, and the storage contract.

It is public: use it to test a grant, a storage or an adapter of your own. The parts that need hypothesis (the extra
`testing`) import it only when they are used.
"""

from typing import TYPE_CHECKING

from oauthcore.testing.chance import FixedClock, SeededEntropy
from oauthcore.testing.client_session import ClientSession
from oauthcore.testing.contract import (
    Clause,
    ClauseBroken,
    ContractBroken,
    NotOffered,
    Terms,
    check_storage,
    clauses,
)
from oauthcore.testing.crash import Crash, CrashFailed, CrashPoints, Point, crash_points
from oauthcore.testing.interleave import (
    Exploration,
    Run,
    Scene,
    Schedule,
    ScheduleFailed,
    explore,
    interleave,
    replay,
)
from oauthcore.testing.lifetime import Act, Lifetime
from oauthcore.testing.outage import Outage, every_outage
from oauthcore.testing.storage_probe import Factory, StorageUnderTest

if TYPE_CHECKING:
    from oauthcore.testing.machine import GrantMachine

__all__ = [
    "Act",
    "Clause",
    "ClauseBroken",
    "ClientSession",
    "ContractBroken",
    "Crash",
    "CrashFailed",
    "CrashPoints",
    "Exploration",
    "Factory",
    "FixedClock",
    "GrantMachine",
    "Lifetime",
    "NotOffered",
    "Outage",
    "Point",
    "Run",
    "Scene",
    "Schedule",
    "ScheduleFailed",
    "SeededEntropy",
    "StorageUnderTest",
    "Terms",
    "check_storage",
    "clauses",
    "crash_points",
    "every_outage",
    "explore",
    "interleave",
    "replay",
]


def __getattr__(name: str) -> object:
    """Import `GrantMachine`, which is made of hypothesis, when it is asked for."""
    if name != "GrantMachine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from oauthcore.testing.machine import GrantMachine

    return GrantMachine
