"""The behaviour of the core, over PostgreSQL and MariaDB: its own tests, each again with the records kept there.

That of SQLite is in tests/sqlite/: the contract and the interleavings are run over each way to it.
"""

from __future__ import annotations

import pytest

from tests.sql.conftest import DRIVERS
from tests.sql.emptying import emptied  # noqa: F401 - the fixture
from tests.storages.behaviour import BEHAVIOUR, suites

globals().update(suites(BEHAVIOUR))

pytestmark = [
    *(pytest.mark.slow, pytest.mark.untraced),
    pytest.mark.parametrize("emptied", [database for database in DRIVERS if database != "sqlite"], indirect=True),
]
