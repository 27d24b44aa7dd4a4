"""What the tests of the Redis storage share: a server of each kind, and an empty installation on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import redis

from oauthcore_redis import RedisStorage
from tests.redis.engine import VOLATILE, Engine, binaries, running

_numbers = count()


@pytest.fixture(scope="session", params=sorted(binaries()))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Return a server, one for all tests, without a disk to wait for."""
    with running(binaries()[request.param], tmp_path_factory.mktemp(request.param), *VOLATILE) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine) -> Iterator[redis.Redis]:
    """Return a client of an empty server."""
    with engine.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def prefix() -> str:
    """Return a prefix that no other test has."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def storage(client: redis.Redis, prefix: str) -> RedisStorage:
    """Return an empty storage."""
    return RedisStorage(client, prefix=prefix)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where a server of a test's own keeps its files."""
    return tmp_path


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests under asyncio: redis-py is made for it."""
    return "asyncio"
