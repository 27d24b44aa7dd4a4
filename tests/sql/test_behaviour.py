"""The behaviour of the core, over PostgreSQL: its own tests, each again with the records kept there.

One database is enough for this, since the contract and the interleavings are run over every one.
"""

from __future__ import annotations

import pytest

from tests.sql.emptying import emptied  # noqa: F401 - the fixture
from tests.storages.behaviour import BEHAVIOUR, suites

globals().update(suites(BEHAVIOUR, pytest.mark.once))

pytestmark = [
    *(pytest.mark.slow, pytest.mark.untraced),
    pytest.mark.parametrize("emptied", ["postgresql"], indirect=True),
]
