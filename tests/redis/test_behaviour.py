"""The behaviour of the core, over Redis: its own tests, each of them again with the records kept there.

Valkey does the same by the same scripts: the contract is run over both, and the interleavings are over Valkey.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from oauthcore.flow.storage import Storage
from oauthcore.testing import Factory
from oauthcore_redis import RedisStorage
from tests.redis.engine import Engine
from tests.storages.behaviour import BEHAVIOUR, suites

globals().update(suites(BEHAVIOUR, pytest.mark.once))

pytestmark = [
    *(pytest.mark.slow, pytest.mark.untraced),
    pytest.mark.parametrize("engine", ["redis"], indirect=True),
]


@pytest.fixture
def emptied(engine: Engine) -> Iterator[Factory]:
    """Return what opens an empty storage, under a prefix of its own."""
    numbers = count()
    with engine.client() as client:
        client.flushall()

        def opened() -> Storage:
            return RedisStorage(client, prefix=f"site-{next(numbers)}")

        yield opened
