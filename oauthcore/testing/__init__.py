"""The testing kit: fixed time and chance, and a scheduler that runs every interleaving.

Public: whoever writes a grant, a storage or an adapter of his own gets the tests that this project has.
"""

from oauthcore.testing.chance import FixedClock, SeededEntropy
from oauthcore.testing.interleave import Exploration, Run, Scene, Schedule, ScheduleFailed, explore, replay
from oauthcore.testing.outage import Outage, every_outage

__all__ = [
    "Exploration",
    "FixedClock",
    "Outage",
    "Run",
    "Scene",
    "Schedule",
    "ScheduleFailed",
    "SeededEntropy",
    "every_outage",
    "explore",
    "replay",
]
