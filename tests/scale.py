"""How often is enough, for what is killed, raced for or filled up again and again.

What fails once in some hundred times shows after a few of `nox -s full`, and before a release at the latest: `nox -s
long` does everything as often as was thought right when the test was written.
"""

from __future__ import annotations

import os

import pytest

VARIABLE = "OAUTHCORE_LONG"


def scaled(usual: int, long: int) -> int:
    """Return how often, or how many: as usual, or in the long run."""
    return long if os.environ.get(VARIABLE) else usual


before_a_release = pytest.mark.skipif(not os.environ.get(VARIABLE), reason="it takes too long: nox -s long")
"""Marks what only `nox -s long` runs, beside the mark `long`."""
