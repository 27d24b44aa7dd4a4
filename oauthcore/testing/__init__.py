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
    StorageUnderTest,
    Terms,
    check_storage,
    clauses,
)
from oauthcore.testing.interleave import Exploration, Run, Scene, Schedule, ScheduleFailed, explore, replay
from oauthcore.testing.outage import Outage, every_outage

__all__ = [
    "Clause",
    "ClauseBroken",
    "ContractBroken",
    "Exploration",
    "FixedClock",
    "NotOffered",
    "Outage",
    "Run",
    "Scene",
    "Schedule",
    "ScheduleFailed",
    "SeededEntropy",
    "StorageUnderTest",
    "Terms",
    "check_storage",
    "clauses",
    "every_outage",
    "explore",
    "replay",
]
