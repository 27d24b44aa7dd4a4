"""The behaviour of the core, over Redis and Valkey: its own tests, each of them again with the records kept there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from oauthcore.flow.storage import Storage
from oauthcore.testing import Factory
from oauthcore_redis import RedisStorage
from tests.redis.engine import Engine
from tests.storages.behaviour import BEHAVIOUR, suites

globals().update(suites(BEHAVIOUR))

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture
def emptied(engine: Engine) -> Iterator[Factory]:
    """Return what opens an empty storage, under a prefix of its own."""
    numbers = count()
    with engine.client() as client:
        client.flushall()

        def opened() -> Storage:
            return RedisStorage(client, prefix=f"site-{next(numbers)}")

        yield opened
