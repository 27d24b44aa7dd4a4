"""Whatever consumes something, in every order that requests can meet in, over Valkey.

The tests are the core's own. Each schedule begins with no records, under a prefix of its own; and one kind of server is
enough, since both keep the contract with the same scripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from oauthcore.flow.storage import Storage
from oauthcore.testing import Factory
from oauthcore_redis import RedisStorage
from tests.redis.engine import VOLATILE, Engine, binaries, running
from tests.storages.behaviour import INTERLEAVINGS, suites

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

globals().update(suites(INTERLEAVINGS))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Return a server."""
    with running(binaries()["valkey"], tmp_path_factory.mktemp("valkey"), *VOLATILE) as engine:
        yield engine


@pytest.fixture
def emptied(engine: Engine) -> Iterator[Factory]:
    """Return what opens an empty storage."""
    numbers = count()
    with engine.client() as client:
        client.flushall()

        def opened() -> Storage:
            return RedisStorage(client, prefix=f"schedule-{next(numbers)}")

        yield opened
