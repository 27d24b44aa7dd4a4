"""The testing kit: fixed time and chance, a scheduler that runs every interleaving, and the contract of storage.

Public: whoever writes a grant, a storage or an adapter of his own gets the tests that this project has. What needs
hypothesis (the extra `testing`) imports it when it is asked to run.
"""

from oauthcore.testing.chance import FixedClock, SeededEntropy
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
from oauthcore.testing.outage import Outage, every_outage
from oauthcore.testing.stage import Factory, StorageUnderTest

__all__ = [
    "Clause",
    "ClauseBroken",
    "ContractBroken",
    "Crash",
    "CrashFailed",
    "CrashPoints",
    "Exploration",
    "Factory",
    "FixedClock",
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
