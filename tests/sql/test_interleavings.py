"""Whatever consumes something, in every order that requests can meet in, over each SQL database.

The tests are the core's own, each of them again with the records kept there.
"""

from __future__ import annotations

import pytest

from tests.sql.emptying import emptied  # noqa: F401 - the fixture
from tests.storages.behaviour import INTERLEAVINGS, suites

globals().update(suites(INTERLEAVINGS))

pytestmark = [pytest.mark.slow, pytest.mark.untraced]
